import { type Step, steps } from "./step.ts";

const IMAGES = steps(`
  load -i {dir}/busybox.tar
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
  image prune -f
  pull 127.0.0.1:1/team/app
  push 127.0.0.1:1/team/nope
  pull 'a b'
  pull UPPER/case
`);

const LIFE = steps(`
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
  start -a c2
  restart -t 1 c2
  kill c2
  wait c2
  logs c2
  rm c2
  rm c2
  rm -f nope
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
  container prune -f
`);

const RUN = steps(`
  run --rm busybox echo hello
  run --rm busybox sh -c 'exit 3'
  run --rm busybox nope
  run --rm busybox /etc/passwd
  run --rm --pull never nope
  run --rm --nope busybox
  run --rm busybox sh -c 'echo out; echo err >&2'
  run --rm -e A=1 -e B -e PATH=/bin busybox env
  run --rm --env-file {dir}/env busybox env
  run --rm --env-file {dir}/nope busybox env
  run --rm --entrypoint echo busybox a b
  run --rm --entrypoint '' busybox echo c
  run --rm -w /work busybox pwd
  run --rm -u app busybox id
  run --rm -u 12:34 busybox id
  run --rm -u nobody-here busybox id
  run --rm --hostname box --domainname example.org busybox hostname
  run --rm --read-only busybox touch /x
  run --rm -v {dir}/context:/mnt:ro busybox sh -c 'ls /mnt; touch /mnt/x'
  run --rm -v {dir}/fresh:/mnt busybox ls -A /mnt
  run --rm -v relative:/mnt:nope busybox true
  run --rm --mount type=bind,src={dir}/nope,dst=/mnt busybox true
  run --rm --mount type=nope,dst=/mnt busybox true
  run --rm --mount dst=/mnt busybox sh -c 'stat -c %F /mnt'
  run --rm --tmpfs /scratch:size=1m busybox sh -c 'df -m /scratch | tail -1'
  run --rm -m 1m busybox true
  run --rm -m 64m --memory-swap 32m busybox true
  run --rm --cpus 1000 busybox true
  run --rm --cpus -1 busybox true
  run --rm --pids-limit 50 busybox cat /sys/fs/cgroup/pids/pids.max
  run --rm -m 64m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes
  run --rm --cap-drop ALL busybox sh -c 'grep CapEff /proc/self/status'
  run --rm --cap-add SYS_ADMIN busybox sh -c 'grep CapEff /proc/self/status'
  run --rm --cap-add NOPE busybox true
  run --rm busybox sh -c 'grep -E "CapEff|CapBnd|Seccomp:|NoNewPrivs" /proc/self/status'
  run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
  run --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
  run --rm --security-opt nope busybox true
  run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n; ulimit -Hn'
  run --rm --ulimit nope=1 busybox true
  run --rm --shm-size 8m busybox sh -c 'df -m /dev/shm | tail -1'
  run --rm --sysctl net.ipv4.ip_forward=0 busybox cat /proc/sys/net/ipv4/ip_forward
  run --rm --sysctl kernel.nope=1 busybox true
  run --rm --network none busybox ip -o link
  run --rm --network nope busybox true
  run --rm --network host --hostname x busybox true
  run --rm --network container:nope busybox true
  run --rm --add-host db:10.1.2.3 busybox grep db /etc/hosts
  run --rm --dns 9.9.9.9 --dns-search example.org busybox cat /etc/resolv.conf
  run --rm --device /dev/zero:/dev/nothing busybox sh -c 'stat -c %F /dev/nothing'
  run --rm --device /dev/nope busybox true
  run --rm --init busybox sh -c 'cat /proc/1/comm'
  run --rm --pid host busybox sh -c 'test -d /proc/2 && echo yes'
  run --rm --ipc nope busybox true
  run --rm --uts host busybox true
  run --rm --group-add 55 busybox id -G
  run --rm --oom-score-adj 100 busybox cat /proc/self/oom_score_adj
  run --rm --restart always busybox true
  run -d --restart nope busybox true
  run --rm -p 1:2:3:4 busybox true
  run --rm -p 99999:80 busybox true
  run -i --rm busybox cat <<< from stdin
  run --rm -d --stop-signal NOPE busybox true
  run --rm --log-driver nope busybox true
  run --rm --log-opt nope=1 busybox true
  run --rm --runtime nope busybox true
  run --rm --platform linux/nope busybox true
  run --rm --health-cmd true --health-interval 1us busybox true
  run -d --name server -p 18080:80 -p 127.0.0.1:18081:81/udp busybox sleep 300
  port server
  port server 80
  port server 99
  ps --format '{{.Names}} {{.Ports}}'
  run --rm --name other -p 18080:80 busybox true
  ps -a --format '{{.Names}} {{.Status}}' --filter name=other
  rm other
  run --rm --network container:server busybox hostname
  run --rm --volumes-from nope busybox true
  rm -f server
`);

const NETWORKS_AND_VOLUMES = steps(`
  network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
  network create net1
  network create net1
  network create --subnet 10.98.0.0/24 --gateway 10.98.0.1 --ip-range 10.98.0.128/25 --label color=red --internal net2
  network create --subnet 10.98.0.0/25 overlapping
  network create --subnet nonsense net3
  network create -d nope net3
  network ls --filter label=color=red --format '{{.Name}} {{.Internal}} {{.Labels}}'
  network ls --filter driver=bridge --filter type=custom --format '{{.Name}}'
  network ls --filter color=red
  network inspect --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{json .IPAM}} {{json .Options}} {{json .Labels}} {{json .Containers}}' net2
  network inspect nope
  run -d --name web --network net1 --network-alias www busybox sleep 300
  run --rm --network net1 busybox ping -c 1 -W 2 web
  run --rm --network net1 busybox ping -c 1 -W 2 www
  run --rm --network net1 busybox ping -c 1 -W 2 nope
  run --rm --network net1 busybox cat /etc/resolv.conf
  network inspect --format '{{range .Containers}}{{.Name}} {{end}}' net1
  network connect --ip 10.98.0.200 --alias inner net2 web
  network connect net2 web
  network connect nope web
  network connect net1 nope
  inspect --format '{{range $name, $e := .NetworkSettings.Networks}}{{$name}} {{json $e.IPAMConfig}};{{end}}' web
  exec web sh -c 'ip -4 addr show eth1 | grep -o "inet .*"'
  network rm net1
  network disconnect net2 web
  network disconnect net2 web
  run --rm --network net1 --ip 1.2.3.4 busybox true
  run --rm --network net2 --ip 1.2.3.4 busybox true
  run --rm --network bridge --ip 172.17.0.99 busybox true
  rm -f web
  network rm net1 net2
  network rm net1
  network rm bridge
  network create bridge
  network create net4
  network prune -f
  volume create data
  volume create data
  volume create --label color=red labelled
  volume create 'not ok'
  volume create -d nope x
  volume create -o nope=1 x
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
  volume prune -f
`);

const SYSTEM_AND_BUILD = steps(`
  version --format '{{.Server.Os}}/{{.Server.Arch}}'
  info --format '{{.OSType}} {{.Architecture}} {{.NCPU}} {{.CgroupDriver}} {{.CgroupVersion}} {{.Swarm.LocalNodeState}} {{.DefaultRuntime}}'
  system df
  system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
  events --since 2001-01-01 --until 2001-01-02
  events --since 1h --until 0s --filter type=nope
  node ls
  service ls
  swarm leave
  plugin ls
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
  builder prune -f
  system prune -f
`);

/** What the docker command line is asked to do with either engine, in this order. */
export const TOUR: readonly Step[] = [...IMAGES, ...LIFE, ...RUN, ...NETWORKS_AND_VOLUMES, ...SYSTEM_AND_BUILD];
