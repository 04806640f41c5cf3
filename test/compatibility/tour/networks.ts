import { type Step, steps } from "../step.ts";

/** Networks, and containers on them. */
export const NETWORKS: readonly Step[] = steps(`
  network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
  network create net1
  network create net1
  network create --subnet 10.98.0.0/24 --gateway 10.98.0.1 --ip-range 10.98.0.128/25 --label color=red --internal net2
  network create --subnet 10.98.0.0/25 overlapping
  network create --subnet nonsense net3
  & network create -d nope net3
  network ls --filter label=color=red --format '{{.Name}} {{.Internal}} {{.Labels}}'
  network ls --filter driver=bridge --filter type=custom --format '{{.Name}}'
  network ls --filter color=red
  network inspect --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{json .IPAM}} {{json .Options}} {{json .Labels}} {{json .Containers}}' net2
  network inspect nope
  run -d --name web --network net1 --network-alias www busybox sleep 300
  run --rm --network net1 busybox ping -c 1 -W 2 web
  run --rm --network net1 busybox ping -c 1 -W 2 www
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
  network create --attachable --scope swarm swarmed
  network create -d overlay over
  network create -d host another
  network create -d null another
  network create --subnet 10.96.0.0/24 --gateway 10.95.0.1 net5
  network create --subnet 10.96.0.0/24 --ip-range 10.95.0.0/24 net5
  network create --subnet 10.96.0.0/24 --aux-address me=10.95.0.1 net5
  network create --gateway 10.96.0.1 net5
  network create --subnet fd00:96::/64 --ipv6=false net6
  network create --ipv6 --subnet fd00:97::/64 --subnet 10.97.0.0/24 net7
  network create -o com.docker.network.bridge.name=tourbr0 -o com.docker.network.bridge.enable_icc=false -o com.docker.network.driver.mtu=1400 --subnet 10.94.0.0/24 net8
  network create -o com.docker.network.bridge.name=tourbr0 net9
  network create -o com.docker.network.driver.mtu=nope net9
  & network create --ipam-driver nope net9
  network create -d macvlan -o parent=nope macs
  network create -d ipvlan -o parent=lo -o ipvlan_mode=nope ips
  network create 'not ok'
  network create ''
  network inspect --format '{{json .IPAM}} {{json .Options}} {{.EnableIPv6}} {{.Attachable}} {{.Ingress}} {{.ConfigOnly}} {{json .ConfigFrom}} {{json .Labels}}' net7 net8
  run --rm --network net8 --link-local-ip 169.254.7.7 busybox true
  run -d --name six --network net7 --ip6 fd00:97::77 --ip 10.97.0.77 --mac-address 02:42:0a:61:00:4d busybox sleep 300
  inspect --format '{{json .NetworkSettings.Networks}} {{json .HostConfig.NetworkMode}}' six
  inspect --format '{{.NetworkSettings.IPAddress}}|{{.NetworkSettings.Gateway}}|{{.NetworkSettings.MacAddress}}' six
  exec six sh -c 'ip -6 addr show eth0 | grep -o "inet6 fd.*"; ip -4 route; cat /etc/hosts'
  network connect --link six:old net8 nope
  network connect --ip 10.94.0.9 net8 six
  network inspect --format '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.IPv6Address}} {{.MacAddress}}{{end}}' net7 net8
  exec six cat /sys/class/net/eth1/mtu
  ps --filter network=net8 --format '{{.Names}}'
  run -d --name peer --network net7 --link six:old busybox sleep 300
  exec peer ping -c 1 -W 2 old
  rename peer named
  exec six ping -c 1 -W 2 named
  network disconnect -f net8 six
  network disconnect nope six
  network disconnect net7 nope
  network connect host six
  network connect none six
  network connect container:peer six
  network disconnect net7 six
  inspect --format '{{json .NetworkSettings.Networks}}' six
  network connect bridge six
  network connect --alias x bridge named
  network connect --ip 10.97.0.77 net7 six
  network connect --ip 10.97.0.77 net7 six
  network rm net7 nope net8
  network rm -f nope
  rm -f six named
  network rm net7
  network ls --filter name=net --filter dangling=true --format '{{.Name}}'
  network ls --filter id=nope -q
  network ls --filter scope=local --filter driver=null --format '{{.Name}}'
  network ls --filter type=nope
  network prune -f --filter until=1h
  network prune -f --filter color=red
  ~ network prune -f
  ~ events --since 1h --until -1s --filter type=network --filter network=net7 --filter event=create --filter event=connect --filter event=destroy --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'
  network create --config-only --subnet 10.93.0.0/24 --gateway 10.93.0.9 -o com.docker.network.driver.mtu=1400 --label a=b conf
  network inspect --format '{{.ConfigOnly}} {{.Driver}} {{.Scope}} {{json .IPAM}} {{json .Options}} {{json .Labels}}' conf
  network create --config-from conf --label x=y from
  network create --config-from conf -o a=b from
  network create --config-from conf --config-only from
  network create --config-from nope from
  network create --config-only --internal conf2
  network create --config-from conf from
  network inspect --format '{{json .ConfigFrom}} {{.ConfigOnly}} {{json .IPAM}} {{json .Options}} {{json .Labels}}' from
  run --rm --network from busybox cat /sys/class/net/eth0/mtu /proc/sys/net/ipv6/conf/eth0/disable_ipv6 /proc/sys/net/ipv6/conf/default/disable_ipv6
  network rm conf
  network ls --filter type=custom --format '{{.Name}} {{.Driver}}'
  network rm from conf
  network create --ipam-opt a=b opted
  network inspect --format '{{json .IPAM.Options}}' opted
  network rm opted
  run --rm --network host busybox cat /etc/resolv.conf
  run --rm --network none busybox cat /etc/resolv.conf
`);
