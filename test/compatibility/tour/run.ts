import { type Step, steps } from "../step.ts";

/** What `run` can be told, and what it says to nonsense. */
export const RUN: readonly Step[] = steps(`
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
  run --rm --add-host database:10.1.2.3 busybox grep database /etc/hosts
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
  & run --rm --log-driver nope busybox true
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
  inspect --format '{{json .NetworkSettings.Ports}} {{json .HostConfig.PortBindings}}' server
  rm -f server
  run --rm -v {dir}/env:/mnt/env:ro,rprivate busybox cat /mnt/env
  run --rm --mount type=bind,src={dir}/env,dst=/e,readonly,bind-propagation=rslave busybox sh -c 'grep " /e " /proc/self/mountinfo | cut -d" " -f6'
  run --rm --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1700 busybox stat -c %a /t
  run --rm --mount type=bind,src=relative,dst=/mnt busybox true
  run --rm --mount type=volume,dst=/mnt,nope=1 busybox true
  run --rm -v /mnt:/mnt -v /tmp:/mnt busybox true
  run --rm -v {dir}/env:relative busybox true
  run --rm -v 'not ok:/mnt' busybox true
  run --rm -v /:/ busybox true
  run --rm --cgroupns nope busybox true
  run --rm --userns nope busybox true
  run --rm --uts nope busybox true
  run --rm --pid nope busybox true
  run --rm --pid container:nope busybox true
  run --rm --ipc container:nope busybox true
  run --rm --network host -p 80:80 busybox true
  run --rm --network none -p 80:80 busybox true
  run --rm --network container:nope -p 80:80 busybox true
  run --rm --network container:nope --hostname x busybox true
  run --rm --mac-address nope busybox true
  run --rm --mac-address 02:42:ac:11:00:99 busybox cat /sys/class/net/eth0/address
  run --rm --add-host nope busybox true
  run --rm --add-host db:nope busybox true
  run --rm --add-host me:host-gateway busybox grep -c me /etc/hosts
  run --rm --dns nope busybox true
  run --rm --link nope busybox true
  run --rm --cpuset-cpus 99 busybox true
  run --rm --cpuset-cpus nope busybox true
  run --rm --memory-reservation 64m -m 32m busybox true
  run --rm --memory-swappiness 101 busybox true
  run --rm --cpu-period 1 busybox true
  run --rm --cpus 1 --cpu-quota 1000 busybox true
  run --rm --oom-score-adj 1001 busybox true
  run --rm --shm-size 0 busybox true
  run --rm --shm-size nope busybox true
  run --rm --stop-timeout nope busybox true
  run --rm --restart on-failure:-1 busybox true
  run -d --restart no:3 busybox true
  run -d --restart always:3 busybox true
  run --rm --health-retries -1 busybox true
  run --rm --no-healthcheck --health-cmd true busybox true
  run --rm --hostname 'not ok' busybox true
  run --rm --name 'a b' busybox true
  run --rm --security-opt seccomp={dir}/nope busybox true
  run --rm --security-opt seccomp={dir}/env busybox true
  run --rm --security-opt apparmor=nope busybox true
  run --rm --security-opt systempaths=unconfined busybox sh -c 'grep -c " /proc/kcore " /proc/mounts'
  run --rm --cap-add ALL --cap-drop SYS_ADMIN busybox grep CapEff /proc/self/status
  run --rm --device /dev/zero:/dev/x:nope busybox true
  run --rm --device-cgroup-rule nope busybox true
  run --rm --gpus all busybox true
  run --rm --log-driver none busybox echo quiet
  run --rm --log-opt max-size=nope busybox true
  run --rm --log-driver local --log-opt max-file=0 busybox true
  run --rm --isolation hyperv busybox true
  run --rm -e =x busybox true
  run --rm -w relative busybox pwd
  run --rm --tmpfs relative busybox true
  run --rm --tmpfs /t:nope busybox true
  & run --rm --volume-driver nope -v x:/x busybox true
  run --rm --cidfile {dir}/env busybox true
  run --rm -a stdout busybox sh -c 'echo out; echo err >&2'
  run -t --rm busybox tty
  run -d --rm --name brief busybox sleep 100
  run --rm --pid container:brief busybox cat /proc/1/comm
  stop -t 0 brief
  ~ events --since 1h --until -1s --filter event=oom --filter event=health_status --format '{{.Type}} {{.Action}}'
`);
