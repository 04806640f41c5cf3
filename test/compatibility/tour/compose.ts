import { type Step, steps } from "../step.ts";

/** Compose 2 with a file of five services (test/compatibility/compose): what it prints is what the engine told it. */
export const COMPOSE: readonly Step[] = steps(
  `
  compose {files} ls
  compose {files} ps
  ~ compose {files} config --services
  compose {files} build --quiet
  compose {files} build --quiet --no-cache --build-arg GREETING=again web
  ~ compose {files} up -d --wait web worker
  ~ compose {files} ps -a --format '{{.Service}} {{.Name}} {{.State}} {{.Health}} {{.ExitCode}} {{.Image}}'
  compose {files} ps --services --filter status=running
  ~ compose {files} ps -a --format json --filter status=exited store
  ~ compose {files} images --format json
  compose {files} ls --format json
  compose {files} logs --no-color --no-log-prefix worker
  compose {files} logs --no-color worker
  compose {files} exec -T web cat /run/secrets/token /etc/motd /pages/page
  compose {files} exec -T web wget -qO- http://db/
  compose {files} exec -T store wget -qO- http://www/
  compose {files} exec -T web sh -c 'ip -4 -o addr | grep -o "10.92[0-9./]*"; echo $COLOR'
  compose {files} exec -T worker sh -c 'touch /shared/x'
  compose {files} exec -T worker sh -c 'exit 9'
  compose {files} exec -T debug true
  compose {files} exec -T --index 2 worker true
  compose {files} port web 80
  compose {files} cp worker:/etc/passwd {dir}/passwd
  compose {files} cp {dir}/env worker:/tmp/env
  compose {files} exec -T worker cat /tmp/env
  ~ compose {files} up -d --scale worker=3
  ~ compose {files} ps worker --format '{{.Name}} {{.State}}'
  ~ compose {files} scale worker=1
  ~ compose {files} up -d
  ~ compose {files} -f {dir}/compose/changed.yaml up -d worker
  compose {files} exec -T worker sh -c 'echo $COLOR'
  ~ compose {files} up -d --force-recreate --no-deps store
  ~ compose {files} restart -t 0 worker
  ~ compose {files} pause worker
  ~ compose {files} ps -a worker --format '{{.Name}} {{.State}}'
  ~ compose {files} unpause worker
  ~ compose {files} kill worker
  ~ compose {files} ps -a worker --format '{{.Name}} {{.State}} {{.ExitCode}}'
  ~ compose {files} start worker
  ~ compose {files} stop -t 0 worker
  ~ compose {files} rm -f worker
  ~ compose {files} run --rm -T --no-deps worker echo once
  ~ compose {files} run --rm -T --no-deps -e A=1 -v {dir}/env:/e --entrypoint cat worker /e
  ~ compose {files} run --rm -T --no-deps worker sh -c 'exit 4'
  ~ compose {files} create worker
  ~ compose {files} --profile debug up -d debug
  ~ compose {files} up --no-start --quiet-pull
  compose {files} wait prepare
  compose {files} top prepare
  ~ compose {files} config --images web
  compose {files} attach nope
  compose {files} up nope
  compose {files} exec nope true
  ~ compose -f {dir}/compose/fewer.yaml up -d
  ~ compose -f {dir}/compose/fewer.yaml up -d --remove-orphans
  ~ compose {files} up -d --wait --wait-timeout 60 store
  ~ network inspect --format '{{.Name}} {{json .Labels}} {{.Internal}} {{json .Options}}' trio_back
  ~ volume inspect --format '{{.Name}} {{json .Labels}} {{.Driver}}' trio_pages
  ~ compose {files} --profile debug down -v --rmi all --remove-orphans -t 0
  compose {files} down
  compose {files} ls -a
  volume ls -q
  network ls --format '{{.Name}}'
`.replaceAll("{files}", "-f {dir}/compose/compose.yaml"),
);
