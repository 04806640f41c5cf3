import { type Step, steps } from "../step.ts";

/** Images: their names, lists, history, archives and prunes. */
export const IMAGES: readonly Step[] = steps(`
  images
  images -q --no-trunc
  images --digests
  images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}'
  images --format 'table {{.Repository}}\\t{{.Tag}}'
  images busybox:nope
  images 'b*'
  images --filter dangling=true -q
  images --filter reference=busy* -q
  images --filter before=nope
  images --filter color=red
  tag busybox app:v1
  tag busybox localhost:5000/team/app:v1
  tag nope app:v1
  tag busybox App
  tag busybox 'app:v 1'
  history busybox
  history -q busybox
  history --no-trunc --format '{{.CreatedBy}}|{{.Comment}}|{{.Size}}' busybox
  history nope
  image inspect --format '{{.Os}}/{{.Architecture}} {{json .Config.Cmd}} {{json .RootFS}} {{json .RepoTags}}' busybox
  image inspect --format '{{.Id}} {{.Size}} {{.Created}} {{.DockerVersion}} {{.Author}}' busybox
  image inspect --format '{{json .Config.Env}} {{json .Config.Entrypoint}} {{json .Config.Labels}} {{json .Config.Volumes}}' busybox
  image inspect nope
  inspect --type image nope
  rmi nope
  rmi app:v1
  save -o {dir}/saved.tar nope
  save -o {dir}/saved.tar busybox localhost:5000/team/app:v1
  rmi localhost:5000/team/app:v1
  load -i {dir}/saved.tar
  rmi localhost:5000/team/app:v1
  load -i {dir}/env
  import {dir}/root.tar imported:1
  import -c 'CMD ["cat", "/hello"]' -m 'by hand' {dir}/root.tar imported:2
  image inspect --format '{{json .Config.Cmd}} {{.Comment}}' imported:2
  import {dir}/nope.tar
  import - piped:1 < {dir}/root.tar
  load < {dir}/saved.tar
  load < {dir}/root.tar
  ~ images -a --format '{{.Repository}}:{{.Tag}}'
  images --filter label=color=red -q
  ~ images --filter since=busybox --format '{{.Repository}}:{{.Tag}}'
  ~ images --filter until=24h --format '{{.Repository}}:{{.Tag}}'
  images --format json nope
  image inspect --format '{{json .RootFS}} {{.Parent}} {{json .RepoDigests}} {{.Variant}} {{.OsVersion}}' imported:1
  image inspect --format '{{json .Config}}' busybox
  image inspect --format '{{json .Config}}' imported:2
  image inspect busybox nope --format '{{.Os}}'
  tag busybox busybox:again
  rmi busybox:again nope imported:1
  rmi --no-prune piped:1
  create --name holds imported:2
  rmi imported:2
  rmi -f imported:2
  rm holds
  image prune -f
  image prune -a -f --filter until=1h
  image prune -a -f --filter label=color=red
  image prune -f --filter color=red
  pull 127.0.0.1:1/team/app
  push 127.0.0.1:1/team/nope
  pull 'a b'
  pull 127.0.0.1:1/UPPER/case
  pull 127.0.0.1:1/app@sha256:0123
  pull -q 127.0.0.1:1/team/app:v1
  pull -a 127.0.0.1:1/team/app
  pull -a 127.0.0.1:1/team/app:v1
  push -a 127.0.0.1:1/team/nope
  login -u me -p secret 127.0.0.1:1
  events --since 1h --until -1s --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'
`);
