import { type Step, steps } from "../step.ts";

/** The classic builder, BuildKit through buildx, and their cache. */
export const BUILDS: readonly Step[] = steps(`
  build -t built {dir}/context
  build -t built {dir}/context
  build --no-cache -q -t built {dir}/context
  run --rm built
  build -t built --build-arg WHO=you {dir}/context
  build -f {dir}/context/Broken {dir}/context
  build -f {dir}/context/Failing {dir}/context
  build -f {dir}/context/Missing {dir}/context
  build -f {dir}/context/Stages --target one {dir}/context
  build -f {dir}/context/Stages --target nope {dir}/context
  build -f nope {dir}/context
  build {dir}/nope
  build - <<< FROM busybox
  history --format '{{.CreatedBy}}' built
  build -t built --label a=b --target two -f {dir}/context/Stages {dir}/context
  image inspect --format '{{json .Config.Labels}}' built
  build -t 'not ok' {dir}/context
  build --build-arg nope -q -t built {dir}/context
  build --iidfile {dir}/iid -q {dir}/context
  build -f {dir}/context/Empty {dir}/context
  build -f {dir}/context/NoFrom {dir}/context
  build -f {dir}/context/Args {dir}/context
  build --network none -f {dir}/context/Net {dir}/context
  build --no-cache --network nope -f {dir}/context/Net {dir}/context
  build --platform nope {dir}/context
  build - < {dir}/root.tar
  build http://127.0.0.1:1/nope
  builder prune -f --filter until=1h
  builder prune -f --filter nope=1
  builder prune -af
  buildx build -q -t bx {dir}/context
  run --rm bx
  history --format '{{.CreatedBy}}|{{.Comment}}' bx
  image inspect --format '{{json .Config}} {{json .RootFS.Type}} {{.Os}}/{{.Architecture}} {{.DockerVersion}} {{.Author}} {{.Comment}}' bx
  buildx build -q --no-cache --build-arg WHO=you --label a=b -t bx {dir}/context
  buildx build -q -f {dir}/context/Secret --secret id=s,src={dir}/env {dir}/context
  buildx build -q -f {dir}/context/Secret {dir}/context
  buildx build --platform nope -q {dir}/context
  buildx build -q -o type=local,dest={dir}/out {dir}/context
  buildx build -q -o type=tar,dest={dir}/out.tar {dir}/context
  buildx build -q --metadata-file {dir}/meta -t bx2 {dir}/context
  buildx build -q --network nope {dir}/context
  buildx build -q - <<< FROM busybox
  buildx build -q -f - {dir}/context <<< FROM busybox
  buildx ls
  buildx inspect
  buildx inspect nope
  buildx du --filter nope=1
  buildx rm default
  buildx use nope
  buildx prune -af --filter nope=1
  buildx imagetools inspect {registry}/nope
  rmi bx bx2
`);
