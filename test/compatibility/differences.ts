/**
 * Where Berth differs from dockerd 26, and why. A step that differs without standing here fails the test, and so does one that stands here and does
 * not differ any more.
 */
export interface Difference {
  readonly why: string;
  readonly steps: readonly string[];
}

export const DIFFERENCES: readonly Difference[] = [
  {
    why: "Worded as Docker 28 words it; dockerd is 26",
    steps: [
      "exec c1 true",
      "run --rm --cpus 1000 busybox true",
      "run --rm --cpus -1 busybox true",
      "run --rm --network nope busybox true",
      "run --rm --name other -p 18080:80 busybox true",
      "network create --subnet 10.98.0.0/25 overlapping",
      "network create -d nope net3",
      "network rm net1",
      "network rm net7 nope net8",
      "network disconnect net2 web (2)",
      "network connect host six",
      "run --rm --network bridge --ip 172.17.0.99 busybox true",
      "pull --platform linux/s390x {registry}/team/app:v1",
      "build -f {dir}/context/Stages --target nope {dir}/context",
    ],
  },
  {
    why: "As Docker 28 does it: an exec of a program that is not there is exit code 127, more of /proc is masked",
    steps: ["exec c1 nope", "exec -w /nope c1 true", "inspect --format {{json .HostConfig}} c1"],
  },
  {
    why: "There is no shim between engine and OCI runtime that could be named",
    steps: ["run --rm busybox nope", "run --rm busybox /etc/passwd", "run --rm -e A=1 -e B -e PATH=/bin busybox env"],
  },
  {
    why: "The message names the cause itself, or the way out",
    steps: [
      "load -i {dir}/env",
      "load (2)",
      "cp - hc:/tmp (2)",
      "run --rm --platform linux/nope busybox true",
      "network create --ipam-driver nope net9",
      "network create -d macvlan -o parent=nope macs",
      "network create -d ipvlan -o parent=lo -o ipvlan_mode=nope ips",
      "network create ",
      "search {registry}/app",
      "builder prune -f --filter nope=1",
    ],
  },
  {
    why: "What cannot work is refused when the container is made, not when it is started; and no volume plugin is not taken for no image",
    steps: [
      "run --rm --log-opt max-size=nope busybox true",
      "run --rm --log-driver local --log-opt max-file=0 busybox true",
      "run --rm -v bad:/m busybox true",
      "run --rm --volume-driver nope -v x:/x busybox true",
    ],
  },
  {
    why: "The kernel refuses the option, in its words",
    steps: ["run --rm --tmpfs /t:nope busybox true"],
  },
  {
    why: "Layers are EROFS files below an overlay: the driver has a name of its own, and sizes are those of the files",
    steps: [
      "system df",
      "inspect --format {{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}} {{.Driver}} {{.Platform}} c1",
    ],
  },
  {
    why: "The gateway that was chosen is shown",
    steps: [
      "network inspect --format {{json .IPAM}} {{json .Options}} {{.EnableIPv6}} {{.Attachable}} {{.Ingress}} {{.ConfigOnly}} {{json .ConfigFrom}} {{json .Labels}} net7 net8",
    ],
  },
  {
    why: "Refused by name rather than taken and ignored",
    steps: [
      "buildx du --filter nope=1",
      "buildx prune -af --filter nope=1",
      "events --since 2001-01-01 --until 2001-01-02 --filter nope=1",
    ],
  },
  {
    why: "No swarm and no plugins, whatever they are asked",
    steps: ["plugin install nope", "swarm init --advertise-addr nope", "swarm join --token x 127.0.0.1:1"],
  },
  {
    why: "What a prune frees is counted as the disk counts it",
    steps: [
      "container prune -f --filter label!=color",
      "volume prune -a -f --filter label!=color",
      "volume prune -a -f",
    ],
  },
  {
    why: "The classic builder's text on BuildKit's model: metadata makes no image, a step has no container that could be named, history is BuildKit's, and its cache is the build cache",
    steps: [
      "build -t built {dir}/context",
      "build -t built {dir}/context (2)",
      "build -t built --build-arg WHO=you {dir}/context",
      "build -f {dir}/context/Failing {dir}/context",
      "build -f {dir}/context/Stages --target one {dir}/context",
      "history --format {{.CreatedBy}} built",
      "build -t built --label a=b --target two -f {dir}/context/Stages {dir}/context",
      "build -f {dir}/context/Empty {dir}/context",
      "build -f {dir}/context/Args {dir}/context",
      "build --network none -f {dir}/context/Net {dir}/context",
      "build --no-cache --network nope -f {dir}/context/Net {dir}/context",
      "build - (2)",
      "builder prune -af",
    ],
  },
  {
    why: "A builder with a name and a version of its own, which builds what this machine runs",
    steps: ["buildx ls", "buildx inspect"],
  },
];
