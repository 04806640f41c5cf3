import { type Step, steps } from "../step.ts";

/** A container from its creation to its removal, and every command that takes one. */
export const LIFE: readonly Step[] = steps(`
  create --name c1 -e A=1 -l color=red busybox sleep 300
  create --name c1 busybox
  create --name 'not ok' busybox
  create --pull never nope
  ps
  ps -a --format '{{.Names}} {{.Image}} {{.Command}} {{.Status}} {{.Ports}} {{.Labels}} {{.State}}'
  start c1
  start c1
  start nope
  ps --no-trunc --format 'table {{.Names}}\\t{{.Image}}\\t{{.Command}}\\t{{.Status}}'
  ps
  ps -q
  ps --filter name=c1 --format '{{.Names}}'
  ps --filter label=color=red --format '{{.Names}}'
  ps --filter label=color=blue --format '{{.Names}}'
  ps --filter ancestor=busybox --format '{{.Names}}'
  ps --filter status=nope
  ps --filter color=red
  ps -n 1 --format '{{.Names}}'
  ps -s --format '{{.Names}} {{.Size}}'
  inspect --format '{{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}} {{.Driver}} {{.Platform}}' c1
  inspect --format '{{json .Config}}' c1
  inspect --format '{{json .HostConfig}}' c1
  inspect --format '{{json .Mounts}} {{json .Args}} {{.Path}} {{.AppArmorProfile}} {{json .ExecIDs}}' c1
  inspect --format '{{json .NetworkSettings.Ports}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}' c1
  inspect --format '{{.State.Health.Status}}' c1
  inspect --format '{{.Nope}}' c1
  inspect nope
  inspect -f '{{.' c1
  exec c1 echo hello
  exec c1 sh -c 'exit 7'
  exec -e B=2 -w /tmp -u app c1 sh -c 'echo $A $B; pwd; id -u'
  exec -i c1 cat <<< typed
  exec c1 nope
  exec -u nobody-here c1 true
  exec nope true
  exec -w /nope c1 true
  top c1 -o comm
  port c1
  ~ diff c1
  exec c1 sh -c 'echo x > /new; rm /bin/zcat; echo y >> /etc/passwd'
  ~ diff c1
  pause c1
  pause c1
  exec c1 true
  ps --format '{{.Names}} {{.State}}'
  unpause c1
  unpause c1
  rename c1 c2
  rename c2 c2
  rename c2 'not ok'
  rename nope x
  update --restart on-failure:3 c2
  inspect --format '{{json .HostConfig.RestartPolicy}}' c2
  update --memory 64m --memory-swap 128m c2
  inspect --format '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}' c2
  update --memory 1m c2
  update nope
  stats --no-stream --format '{{.Name}} {{.PIDs}}' c2
  stats --no-stream nope
  cp c2:/new {dir}/copied
  cp {dir}/env c2:/tmp/
  exec c2 cat /tmp/env
  cp {dir}/nope c2:/tmp/
  cp c2:/nope {dir}/x
  cp {dir}/env c2:/nope/x
  cp nope:/x {dir}/x
  cp {dir}/context c2:/tmp/context
  exec c2 ls /tmp/context
  commit -m 'a note' -a me -c 'ENV C=3' c2 committed:1
  image inspect --format '{{.Comment}} {{.Author}} {{json .Config.Env}} {{json .Config.Labels}}' committed:1
  run --rm committed:1 cat /new
  commit nope
  export -o {dir}/exported.tar c2
  export nope
  rm c2
  rmi busybox:latest
  rmi -f nope
  kill -s NOPE c2
  kill -s 0 c2
  stop -t 1 c2
  stop c2
  inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}' c2
  wait c2
  kill c2
  exec c2 true
  top c2
  attach c2
  pause c2
  port c2
  start -a c2 x
  restart -t 1 c2
  kill c2
  wait c2
  logs c2
  rm c2
  rm c2
  rm -f nope
  ~ events --since 1h --until -1s --filter container=c2 --format '{{.Action}} {{.Actor.Attributes.signal}} {{.Actor.Attributes.exitCode}} {{.Actor.Attributes.comment}} {{.Actor.Attributes.color}}'
  ~ events --since 1h --until -1s --filter container=c2 --filter event=rename --format '{{.Type}} {{json .Actor.Attributes}}'
  wait nope
  stop nope
  logs nope
  run -d --name talker busybox sh -c 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three'
  wait talker
  logs talker
  logs -t talker
  logs -n 1 talker
  logs --since 2001-01-01 --until 2001-01-02 talker
  logs --since nonsense talker
  rm talker
  create -i --name echoer busybox cat
  start -ai echoer <<< typed
  ps -a --filter exited=0 --format '{{.Names}} {{.Status}}'
  ps -l --format '{{.Names}}'
  start echoer
  attach echoer <<< again
  logs echoer
  run -d --name ended busybox sh -c 'exit 3'
  wait ended echoer
  ps -a --filter exited=3 --format '{{.Names}}'
  ps -a --filter status=exited --filter name=e --format '{{.Names}}'
  ps -a --filter before=ended --format '{{.Names}}'
  ps -a --filter since=echoer --format '{{.Names}}'
  ps -a --filter exited=nope
  ps -a --filter health=none --format '{{.Names}}'
  ps -a --filter health=nope
  ps -a --filter is-task=true
  ps -a --filter publish=80 --format '{{.Names}}'
  ps -a --filter network=bridge --format '{{.Names}}'
  ps -a --filter volume=nope --format '{{.Names}}'
  ps -a --filter before=nope
  ps -a --format json --filter name=nope
  start -a ended
  inspect --format '{{json .State}}' ended
  inspect --format '{{json .NetworkSettings.Ports}} {{json .NetworkSettings.Networks}}' ended
  inspect --size --format '{{.SizeRw}} {{.SizeRootFs}}' nope
  rm ended nope echoer
  run -d --name hc --health-cmd 'test -e /ok' --health-interval 300ms --health-retries 1 --stop-signal KILL busybox sh -c 'echo started; exec sleep 100'
  exec hc sh -c 'touch /ok; sleep 1.5'
  ps --filter health=healthy --format '{{.Names}}'
  inspect --format '{{.State.Health.Status}} {{.State.Health.FailingStreak}} {{json .Config.Healthcheck}}' hc
  inspect --format '{{json .NetworkSettings.Ports}} {{range .NetworkSettings.Networks}}{{json .IPAMConfig}} {{json .Links}} {{json .Aliases}} {{json .DNSNames}} {{json .DriverOpts}} {{.MacAddress}}{{end}} {{.NetworkSettings.Bridge}}' hc
  inspect --format '{{json .HostConfig.Memory}} {{json .HostConfig.NanoCpus}} {{json .HostConfig.PidsLimit}} {{json .HostConfig.CpuShares}}' hc
  stats --no-stream --format '{{.Name}} {{.Container}} {{.ID}}' hc
  update --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 40 --memory-reservation 32m --memory 64m --memory-swap -1 hc
  inspect --format '{{json .HostConfig.Memory}} {{json .HostConfig.MemorySwap}} {{json .HostConfig.MemoryReservation}} {{json .HostConfig.NanoCpus}} {{json .HostConfig.PidsLimit}} {{json .HostConfig.CpuShares}} {{json .HostConfig.CpusetCpus}} {{json .HostConfig.RestartPolicy}}' hc
  update --cpus 0.5 --cpu-quota 1000 hc
  update --restart nope hc
  update --restart always --memory 8g --memory-swap 1g hc
  cp - hc:/tmp < {dir}/root.tar
  exec hc cat /tmp/hello
  cp - hc:/tmp/hello < {dir}/root.tar
  cp - hc:/tmp <<< not a tar
  cp -a {dir}/context/. hc:/tmp
  exec hc ls /tmp
  cp {dir}/context hc:/tmp/hello
  cp {dir}/env hc:/tmp/renamed
  cp -q hc:/tmp/renamed {dir}/
  cp -L hc:/bin/sh {dir}/shell
  cp hc:/tmp/renamed {dir}/nope/x
  cp hc:/tmp/renamed {dir}/nope/
  cp hc:/tmp hc:/var
  cp {dir}/env {dir}/x
  exec -d hc touch /detached
  exec --privileged hc sh -c 'grep CapEff /proc/self/status'
  exec -u 1000:1000 hc id
  exec -u app:nope hc id
  exec --env-file {dir}/env hc sh -c 'echo $FROM_FILE'
  exec hc sh -c 'kill -9 $$'
  top hc -nope
  stop -s INT -t 0 hc
  start hc nope
  restart -t 0 hc nope
  pause hc nope
  unpause hc
  kill hc nope
  rm -v hc
  logs hc
  ~ events --since 1h --until -1s --filter container=hc --filter event=start --filter event=die --filter event=stop --filter event=restart --filter event=destroy --filter event=update --filter event=archive-path --filter event=extract-to-dir --format '{{.Action}} {{.Actor.Attributes.exitCode}}'
  create --name c3 --annotation a=b --label-file {dir}/labels -p 80 --expose 90/udp -P busybox sh -c 'sleep 100'
  inspect --format '{{json .Config.ExposedPorts}} {{json .HostConfig.PortBindings}} {{json .HostConfig.PublishAllPorts}} {{json .HostConfig.Annotations}} {{json .Config.Labels}}' c3
  inspect --format '{{json .State}} {{json .NetworkSettings}}' c3
  ps -a --format '{{.Names}} {{.Status}} {{.Ports}} {{.LocalVolumes}} {{.Mounts}} {{.Networks}} {{.RunningFor}}'
  cp {dir}/env c3:/tmp/
  diff c3
  export c3 -o {dir}/nope/x
  commit -p=false c3 committed:2
  container prune -f --filter until=1h
  container prune -f --filter label!=color
  container prune -f --filter color=red
  container prune -f
`);
