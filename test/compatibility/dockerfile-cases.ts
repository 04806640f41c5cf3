/*
 * Dockerfiles whose outcome is compared between Berth and dockerd's BuildKit: the files of the result (`/bin` and the like of busybox left out)
 * and the image's configuration, or the failure's last line. The context is CONTEXT for all of them.
 */

/** A file by its path: its content, permissions and link target. */
export interface ContextFile {
  readonly content?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly directory?: true;
}

export const CONTEXT: Readonly<Record<string, ContextFile>> = {
  "a.txt": { content: "a\n" },
  "b.txt": { content: "b\n", mode: 0o600 },
  "c.md": { content: "c\n" },
  "run.sh": { content: "#!/bin/sh\necho ran\n", mode: 0o755 },
  setuid: { content: "s\n", mode: 0o4755 },
  "with space.txt": { content: "space\n" },
  "[set].txt": { content: "set\n" },
  $dollar: { content: "dollar\n" },
  "dir/x": { content: "x\n" },
  "dir/y.txt": { content: "y\n" },
  "dir/sub/z.txt": { content: "z\n" },
  "dir/sub/deep/w.md": { content: "w\n" },
  "dir/.hidden": { content: "h\n" },
  "dir/empty": { directory: true, mode: 0o700 },
  "dir2/x": { content: "other x\n" },
  "dir2/sub": { content: "a file where dir has a directory\n" },
  tolink: { link: "a.txt" },
  todir: { link: "dir" },
  dangling: { link: "nowhere" },
  "links/up": { link: "../a.txt" },
  "links/abs": { link: "/etc/passwd" },
  "ignored/one.log": { content: "log\n" },
  "ignored/keep.log": { content: "kept\n" },
  "ignored/deep/two.log": { content: "log\n" },
  ".dockerignore": { content: "ignored/**/*.log\n!ignored/keep.log\n*.tmp\n# a comment\nnothing/here\n" },
  "x.tmp": { content: "temporary\n" },
};

export interface DockerfileCase {
  readonly name: string;
  readonly lines: readonly string[];
  /** Of `docker buildx build`. */
  readonly args?: readonly string[];
  /** Why Berth differs. */
  readonly why?: string;
}

export const scratch = (name: string, ...lines: string[]): DockerfileCase => ({
  name,
  lines: ["FROM scratch", ...lines],
});
export const busybox = (name: string, ...lines: string[]): DockerfileCase => ({
  name,
  lines: ["FROM busybox", ...lines],
});

/** A case in which Berth differs, and why. */
export const because = (why: string, one: DockerfileCase): DockerfileCase => ({ ...one, why });

export const CASES: readonly DockerfileCase[] = [
  scratch(
    "COPY of files",
    "COPY a.txt /",
    "COPY a.txt /renamed",
    "COPY a.txt /into/",
    "COPY a.txt b.txt c.md /several/",
  ),
  scratch("COPY of directories", "COPY dir /d", "COPY dir/ /e/", "COPY dir/sub /f/", "COPY dir dir2/x /g/"),
  scratch("COPY of everything", "COPY . /all/"),
  scratch("COPY . to the root", "COPY . ."),
  scratch("COPY with wildcards", "COPY *.txt /w/", "COPY dir/*/*.txt /v/", "COPY d?r/x /u", "COPY [ab].txt /s/"),
  scratch(
    "COPY in JSON form",
    'COPY ["with space.txt", "/j space/"]',
    'COPY ["[[]set].txt", "/k"]',
    "COPY \\$dollar /l",
  ),
  scratch("COPY of links", "COPY tolink /t", "COPY todir /u", "COPY links /v/", "COPY todir/x /w"),
  scratch("COPY of a dangling link", "COPY dangling /x"),
  scratch(
    "COPY --chmod",
    "COPY --chmod=0751 dir /d",
    "COPY --chmod=600 a.txt run.sh /f/",
    "COPY --chmod=4755 a.txt /s",
  ),
  scratch("COPY keeps modes", "COPY setuid run.sh b.txt /"),
  busybox("COPY --chown", "COPY --chown=1000:2000 dir /d", "COPY --chown=app a.txt /a", "COPY --chown=:5 a.txt /g"),
  because(
    "BuildKit 0.13 takes a name that is not there for root, without a word",
    busybox("COPY --chown of a name that is not there", "COPY --chown=nobodyhere a.txt /a"),
  ),
  scratch("COPY --link", "COPY --link dir /d", "COPY --link a.txt /d/new", "COPY --link --chmod=700 a.txt /m"),
  because(
    "dockerd's own store has no merges, so that its --link is a COPY; with containerd's store it is as Berth's",
    busybox(
      "COPY --link into a linked directory",
      "RUN mkdir /real && ln -s real /alias",
      "COPY --link a.txt /alias/f",
    ),
  ),
  busybox(
    "COPY into a linked directory",
    "RUN mkdir /real && ln -s real /alias",
    "COPY a.txt /alias/f",
    "COPY dir /alias/",
  ),
  busybox(
    "COPY over links",
    "RUN ln -s /tmp/elsewhere /l; echo old > /old; ln /old /hard",
    "COPY a.txt /l",
    "COPY a.txt /old",
  ),
  busybox("COPY of a directory over a file", "RUN echo f > /d", "COPY dir /d"),
  busybox("COPY of a file over a directory", "RUN mkdir -p /a.txt", "COPY a.txt /"),
  scratch("COPY merges directories", "COPY dir /m", "COPY dir2/x /m/"),
  scratch("COPY of a file into a directory of that name", "COPY dir /m", "COPY dir2 /m"),
  because(
    "younger than the frontend of dockerd 26",
    scratch("COPY --exclude", "COPY --exclude=*.txt --exclude=sub/deep dir /d"),
  ),
  because(
    "younger than the frontend of dockerd 26",
    scratch("COPY --parents", "COPY --parents dir/sub/z.txt dir/./sub/deep /p/"),
  ),
  scratch("COPY of what is not there", "COPY missing /"),
  scratch("COPY of what is ignored", "COPY x.tmp /"),
  scratch("COPY of a wildcard without a match", "COPY *.none /"),
  scratch("COPY from above the context", "COPY ../a.txt /a"),
  scratch("COPY from an absolute path", "COPY /a.txt /dir/sub/../x /abs/"),
  scratch("COPY several to a file", "COPY a.txt b.txt /file"),
  scratch("COPY of ignored directories", "COPY ignored /i"),
  scratch(
    "COPY of heredocs",
    "COPY <<one <<-two /h/",
    "first $HOME",
    "one",
    "\ttabs go",
    "two",
    "COPY --chmod=755 <<'x' /raw",
    "$HOME",
    "x",
  ),
  scratch("COPY of a heredoc with variables", "ARG A=1", "COPY <<E /v", "$A ${A} ${A:-x} \\$A", "E"),
  busybox(
    "RUN of heredocs",
    "RUN <<EOF",
    "echo one > /one",
    "echo $0 > /shell",
    "EOF",
    "RUN <<EOF sh -s two",
    "echo $1 > /two",
    "EOF",
    "RUN <<X",
    "#!/bin/sh",
    "echo $0 | cut -c1-5 > /three",
    "X",
    "RUN cat <<A <<B > /four",
    "a",
    "A",
    "b",
    "B",
  ),
  busybox(
    "WORKDIR",
    "WORKDIR /a/b",
    "WORKDIR c",
    "RUN pwd > out",
    "WORKDIR ../d",
    "COPY a.txt .",
    "ENV W=/w",
    "WORKDIR $W/x",
    "RUN pwd > out",
  ),
  busybox(
    "USER and who owns what",
    "USER app",
    "WORKDIR /home/app/w",
    "COPY a.txt .",
    "USER root",
    "RUN chown app /home/app",
    "USER 1000:0",
    "RUN id > /tmp/id; touch /tmp/mine",
  ),
  busybox(
    "ENV forms and expansion",
    'ENV A=1 B="two words" C=three\\ words',
    "ENV OLD old style value",
    "ENV A=2 D=$A E=${A}x",
    "ENV F=${NONE:-default} G=${A:+set} H=${NONE:+unset}",
    "RUN env | grep -E '^[A-H]=|OLD' | sort > /env",
  ),
  busybox(
    "variables with patterns",
    "ENV P=/usr/local/lib.tar.gz",
    "ENV A=${P#*/} B=${P##*/} C=${P%.*} D=${P%%.*} E=${P/local/x} F=${P//l/L}",
    "RUN env | grep -E '^[A-F]=' | sort > /env",
  ),
  {
    name: "ARG scopes",
    lines: [
      "ARG V=busybox",
      "ARG G=global",
      "FROM $V AS one",
      "ARG G",
      "ARG L=local",
      "RUN echo $G $L > /one",
      "FROM one",
      "RUN echo [$G] [$L] > /two",
      "ARG G=again",
      "ARG L",
      "RUN echo [$G] [$L] > /three",
    ],
    args: ["--build-arg", "L=given"],
  },
  {
    name: "ARG and ENV",
    lines: ["FROM busybox", "ENV X=env", "ARG X=arg", "ARG Y=arg", "ENV Y=$Y-env", "RUN echo $X $Y > /x"],
    args: ["--build-arg", "X=given", "--build-arg", "Y=given"],
  },
  busybox(
    "platform ARGs",
    "ARG TARGETPLATFORM",
    "ARG TARGETOS TARGETARCH TARGETVARIANT",
    "ARG BUILDPLATFORM BUILDOS",
    "RUN echo $TARGETPLATFORM $TARGETOS $TARGETARCH [$TARGETVARIANT] $BUILDPLATFORM $BUILDOS > /p",
  ),
  busybox(
    "metadata",
    'LABEL a=b "c d"=\'e f\' multi="x \\',
    'y"',
    "EXPOSE 80 443/tcp 53/udp 8000-8002",
    'VOLUME /v ["/w"]',
    "STOPSIGNAL SIGUSR1",
    "MAINTAINER somebody",
    "CMD echo $HOME",
    'ENTRYPOINT ["/bin/sh", "-c"]',
  ),
  busybox("VOLUME in JSON form", 'VOLUME ["/v1", "/v2"]', 'CMD ["a", "b"]'),
  busybox(
    "HEALTHCHECK and SHELL",
    "HEALTHCHECK --interval=5s --timeout=2s --start-period=1m --retries=4 CMD true",
    'SHELL ["/bin/sh", "-ec"]',
    "RUN echo $0 > /s",
    "CMD true",
  ),
  busybox("HEALTHCHECK NONE", "HEALTHCHECK NONE", "ENTRYPOINT top"),
  {
    name: "CMD is reset by ENTRYPOINT",
    lines: ["FROM busybox AS one", 'CMD ["one"]', "FROM one", 'ENTRYPOINT ["two"]'],
  },
  {
    name: "ONBUILD",
    lines: [
      "FROM busybox AS base",
      "ONBUILD ARG O=on",
      "ONBUILD RUN echo $O > /on",
      "ONBUILD COPY a.txt /b",
      "FROM base",
      "RUN cat /on /b > /c",
    ],
  },
  {
    name: "stages by number and name",
    lines: [
      "FROM busybox",
      "RUN echo zero > /0",
      "FROM scratch AS Named",
      "COPY --from=0 /0 /n",
      "FROM scratch",
      "COPY --from=named /n /x",
      "COPY --from=0 /0 /y",
      "COPY --from=busybox /etc/passwd /",
    ],
  },
  {
    name: "a stage that is not needed does not run",
    lines: ["FROM busybox AS broken", "RUN false", "FROM scratch AS good", "COPY a.txt /"],
    args: ["--target", "good"],
  },
  { name: "a target that is not there", lines: ["FROM scratch", "COPY a.txt /"], args: ["--target", "none"] },
  { name: "COPY --from what is not there", lines: ["FROM busybox AS a", "FROM scratch", "COPY --from=a /none /"] },
  busybox(
    "mounts",
    "RUN --mount=type=bind,target=/ctx cp /ctx/a.txt /a; ls /ctx/dir > /ls",
    "RUN --mount=type=bind,source=dir,target=/d,rw touch /d/new && ls /d > /ls2",
    "RUN --mount=type=cache,target=/cache echo c > /cache/f; ls /cache > /ls3",
    "RUN --mount=type=tmpfs,target=/t touch /t/x; ls /t > /ls4",
    "RUN ls / > /root",
  ),
  busybox("a mount that is read-only", "RUN --mount=target=/ctx touch /ctx/x"),
  {
    name: "mounts from stages",
    lines: [
      "FROM busybox AS one",
      "RUN mkdir /s && echo s > /s/f",
      "FROM busybox",
      "RUN --mount=from=one,source=/s,target=/m cp /m/f /f",
      "RUN --mount=from=one,target=/m cat /m/s/f > /g",
    ],
  },
  busybox("a secret that is required", "RUN --mount=type=secret,id=none,required=true true"),
  busybox("a secret that is not", "RUN --mount=type=secret,id=none ls /run/secrets > /ls 2>&1; true"),
  busybox(
    "files that RUN removes and changes",
    "COPY dir /d",
    "RUN rm -r /d/sub; mv /d/x /d/z; chmod 700 /d; chown 5:6 /d/z; ln -s z /d/s; ln /d/z /d/h",
    "RUN rm /d/s; mkdir /d/sub; echo new > /d/sub/n",
  ),
  busybox("special files", "RUN mkfifo /p; mknod /n c 1 3; chmod 1777 /tmp; touch -d @0 /epoch"),
  busybox("exit codes", "RUN exit 3"),
  busybox("an unknown command", "RUN nosuchcommand"),
  because("Berth tells what the runtime says", busybox("a program that is not there", 'RUN ["/no/such/program"]')),
  { name: "an unknown instruction", lines: ["FROM busybox", "RUNN x"] },
  because("as BuildKit's words are today", { name: "an unknown flag", lines: ["FROM busybox", "COPY --frm=x a b"] }),
  { name: "no FROM", lines: ["RUN x"] },
  { name: "an empty Dockerfile", lines: ["# nothing"] },
  { name: "FROM of what is no reference", lines: ["FROM Not/A/Reference:??"] },
  { name: "a FROM without an image", lines: ["FROM"] },
  { name: "COPY with one word", lines: ["FROM scratch", "COPY a.txt"] },
  { name: "a variable that is not there", lines: ["FROM $NONE"] },
  { name: "a bad substitution", lines: ["FROM busybox", "ENV A=${X:?must be set}"] },
  { name: "a heredoc without an end", lines: ["FROM busybox", "RUN <<EOF", "echo"] },
  { name: "ENV without a value", lines: ["FROM busybox", "ENV A"] },
  because("as BuildKit's words are today", { name: "EXPOSE of no port", lines: ["FROM busybox", "EXPOSE abc"] }),
  { name: "STOPSIGNAL of no signal", lines: ["FROM busybox", "STOPSIGNAL nope"] },
  { name: "an unknown mount type", lines: ["FROM busybox", "RUN --mount=type=nope,target=/x true"] },
  {
    name: "an escape directive and continuation",
    lines: [
      "# escape=`",
      "FROM busybox",
      "RUN echo one `",
      "  # a comment within",
      "  two > /c:\\x",
      "LABEL a=b`",
      "c",
    ],
  },
  {
    name: "comments and empty lines",
    lines: [
      "",
      "# first",
      "  # second",
      "FROM busybox",
      "RUN echo a \\",
      "# within",
      "",
      "  b > /x",
      "RUN echo '#not a comment' > /y",
    ],
  },
  { name: "lower case", lines: ["from busybox as base", "run echo x > /x", "copy a.txt /a"] },
  busybox("ADD of archives and files", "ADD arc.tar /a/", "ADD arc.tgz /b", "ADD a.txt arc.txt /c/", "ADD dir /d"),
  busybox("COPY of archives", "COPY arc.tar arc.tgz /a/"),
  because(
    "BuildKit 0.13 left the owners of archives as they were; today it gives them the new one",
    busybox("ADD --chown and --chmod", "ADD --chown=7:8 --chmod=640 a.txt /a", "ADD --chown=7:8 arc.tar /b/"),
  ),
  busybox("RUN --network=none", "RUN --network=none cat /proc/net/dev | wc -l > /n"),
  because(
    "younger than the frontend of dockerd 26",
    busybox("RUN --security=insecure", "RUN --security=insecure true"),
  ),
  busybox(
    "/etc files of steps leave nothing",
    "RUN cat /etc/hosts > /h; hostname > /n; cat /etc/resolv.conf > /dev/null",
    "RUN ls -l /etc > /dev/null",
  ),
  {
    name: "labels and arguments of the command line",
    lines: ["FROM busybox", "LABEL a=file b=file", "ARG U"],
    args: ["--label", "a=flag", "--build-arg", "U=1", "--build-arg", "UNUSED=2"],
  },
  {
    name: "SOURCE_DATE_EPOCH",
    lines: ["FROM scratch", "COPY a.txt /"],
    args: ["--build-arg", "SOURCE_DATE_EPOCH=1000000000"],
  },
  {
    name: "proxies are no part of the image",
    lines: ["FROM busybox", "RUN echo $HTTP_PROXY $no_proxy > /p"],
    args: ["--build-arg", "HTTP_PROXY=http://p", "--build-arg", "no_proxy=x"],
  },
];
