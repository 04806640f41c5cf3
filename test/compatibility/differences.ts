/**
 * Where Berth differs from Debian's dockerd, and why. A step that differs without standing here fails the test, and so does one that
 * stands here and does not differ any more.
 */
export interface Difference {
  readonly why: string;
  readonly steps: readonly string[];
}

export const DIFFERENCES: readonly Difference[] = [
  {
    why: "Worded as Docker 28 words it; Debian's dockerd is 20.10",
    steps: [
      "images --filter color=red",
      "ps --filter status=nope",
      "ps --filter color=red",
      "network ls --filter color=red",
      "volume ls --filter color=red",
      "rm c2",
      "kill -s NOPE c2",
      "kill -s 0 c2",
      "kill c2",
      "exec c2 true",
      "top c2",
      "pause c2",
      "run --rm --cpus 1000 busybox true",
      "run --rm --cpus -1 busybox true",
      "run --rm --network nope busybox true",
      "run --rm --ipc nope busybox true",
      "run -d --restart nope busybox true",
      "run --rm -d --stop-signal NOPE busybox true",
      "run --rm --runtime nope busybox true",
      "run --rm --name other -p 18080:80 busybox true",
      "network create --subnet 10.98.0.0/25 overlapping",
      "network create --subnet nonsense net3",
      "network create -d nope net3",
      "network rm net1",
      "network disconnect net2 web (2)",
      "run --rm --network net1 --ip 1.2.3.4 busybox true",
      "run --rm --network net2 --ip 1.2.3.4 busybox true",
      "run --rm --network bridge --ip 172.17.0.99 busybox true",
      "build -f {dir}/context/Broken {dir}/context",
      "build -f {dir}/context/Stages --target nope {dir}/context",
    ],
  },
  {
    why: "As Docker 28 does it: a program that is not there is exit code 127, NetworkMode `default` is shown as `bridge`, nameservers come first in resolv.conf",
    steps: [
      "exec c1 nope",
      "exec -w /nope c1 true",
      "inspect --format {{json .HostConfig}} c1",
      "run --rm --dns 9.9.9.9 --dns-search example.org busybox cat /etc/resolv.conf",
    ],
  },
  {
    why: "There is no shim between engine and OCI runtime that could be named",
    steps: ["run --rm busybox nope", "run --rm busybox /etc/passwd", "run --rm -e A=1 -e B -e PATH=/bin busybox env"],
  },
  {
    why: "The message names the cause itself: the tag that was looked for, the truncated archive, the name that could not be resolved",
    steps: ["save -o {dir}/saved.tar nope", "load -i {dir}/env", "run --rm --platform linux/nope busybox true"],
  },
  {
    why: "Layers are EROFS files below an overlay: the driver has a name of its own, and sizes are those of the files",
    steps: [
      "inspect --format {{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}} {{.Driver}} {{.Platform}} c1",
      "system df",
    ],
  },
  {
    why: "Options that were not given are null",
    steps: ["volume inspect --format {{.Name}} {{.Driver}} {{.Scope}} {{json .Options}} {{json .Labels}} labelled"],
  },
  {
    why: "What a prune frees is counted as the disk counts it, and the build cache is part of it",
    steps: ["volume prune -f", "system prune -f"],
  },
  {
    why: "The classic builder's text on BuildKit's model: metadata makes no image, a step has no container that could be named, history is BuildKit's",
    steps: [
      "build -t built {dir}/context",
      "build -t built {dir}/context (2)",
      "build -t built --build-arg WHO=you {dir}/context",
      "build -f {dir}/context/Failing {dir}/context",
      "build -f {dir}/context/Stages --target one {dir}/context",
      "history --format {{.CreatedBy}} built",
    ],
  },
];
