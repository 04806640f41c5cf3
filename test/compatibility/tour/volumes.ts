import { type Step, steps } from "../step.ts";

/** Volumes, and containers that use them. */
export const VOLUMES: readonly Step[] = steps(`
  volume create data
  volume create data
  volume create --label color=red labelled
  volume create 'not ok'
  & volume create -d nope x
  & volume create -o nope=1 x
  volume ls
  volume ls -q --filter label=color=red
  volume ls --filter dangling=true --format '{{.Name}} {{.Driver}} {{.Scope}}'
  volume ls --filter color=red
  volume inspect --format '{{.Name}} {{.Driver}} {{.Scope}} {{json .Options}} {{json .Labels}}' labelled
  volume inspect nope
  run --name user -v data:/data busybox sh -c 'echo kept > /data/file'
  run --rm --volumes-from user busybox cat /data/file
  inspect --format '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Driver}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}}' user
  volume rm data
  rm user
  volume rm data
  volume rm data
  volume create -o type=tmpfs -o device=tmpfs -o o=size=1m memory
  run --rm -v memory:/m busybox sh -c 'df -m /m | tail -1'
  volume rm memory
  volume create -o type=nope -o device=nope bad
  run --rm -v bad:/m busybox true
  volume rm bad
  volume create -o type=tmpfs needs-device
  volume create -o device=x -o o=bind bound
  run --rm -v bound:/m busybox true
  volume create -o type=none -o device={dir}/context -o o=bind bound2
  run --rm -v bound2:/m busybox ls /m
  volume inspect --format '{{json .Options}} {{json .Labels}} {{json .Status}}' bound2
  volume rm bound bound2 needs-device nope
  run --rm -v a-new-one:/etc busybox ls /etc/passwd /etc/group
  run --rm -v a-new-one:/m:nocopy,ro busybox sh -c 'ls /m/passwd; touch /m/x'
  run --rm --mount type=volume,src=fresh,dst=/etc,volume-nocopy busybox ls /etc/passwd
  run --rm --mount type=volume,src=fresh,dst=/m,volume-label=a=b,volume-driver=local busybox true
  run --rm --mount type=volume,src=a-new-one,dst=/m,volume-subpath=../x busybox true
  run -d --name anon -v /data -v named-too:/n:z busybox sleep 300
  inspect --format '{{len .Mounts}} {{json .Config.Volumes}} {{json .HostConfig.Binds}}' anon
  ps --format '{{.Names}} {{.LocalVolumes}}' --filter volume=named-too
  volume ls --filter name=named --format '{{.Name}}'
  volume ls --filter driver=local --filter dangling=false --format '{{.Driver}}'
  rm -f -v anon
  volume ls --format '{{.Name}}'
  volume rm -f nope
  volume update nope
  volume prune -f
  volume prune -f --filter label=nope
  volume prune -a -f --filter label!=color
  volume prune -f --filter color=red
  volume prune -a -f
  volume ls -q
  ~ events --since 1h --until -1s --filter type=volume --filter event=create --filter event=destroy --format '{{.Action}} {{json .Actor.Attributes}}'
`);
