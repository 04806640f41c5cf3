import { type Step, steps } from "../step.ts";

/** A registry that can be written to. */
export const REGISTRY: readonly Step[] = steps(`
  tag busybox {registry}/team/app:v1
  ~ push {registry}/team/app:v1
  ~ push {registry}/team/app:v1
  push -q {registry}/team/app:v1
  push {registry}/team/app:nope
  tag busybox {registry}/team/app:v2
  push -a {registry}/team/app
  image inspect --format '{{len .RepoDigests}}' {registry}/team/app:v1
  images --digests --format '{{.Repository}}:{{.Tag}} {{.Digest}}' {registry}/team/app
  rmi {registry}/team/app:v1 {registry}/team/app:v2 busybox
  images --format '{{.Repository}}:{{.Tag}}'
  ~ pull {registry}/team/app:v1
  ~ pull {registry}/team/app:v1
  pull -q {registry}/team/app:v2
  pull -a {registry}/team/app
  pull --platform linux/s390x {registry}/team/app:v1
  pull --platform nope {registry}/team/app:v1
  pull {registry}/team/app:nope
  pull {registry}/nope
  pull {registry}/team/app@sha256:0123456789012345678901234567890123456789012345678901234567890123
  run --rm {registry}/team/app:v3 true
  run --rm {registry}/team/app:v1 echo pulled
  create --pull always --name from-registry {registry}/team/app:v1
  rm from-registry
  manifest inspect {registry}/team/nope
  tag {registry}/team/app:v1 busybox
  login -u me -p secret {registry}
  logout {registry}
  search {registry}/app
  ~ events --since 1h --until -1s --filter type=image --filter event=push --filter event=tag --filter event=untag --filter event=delete --format '{{.Action}} {{.Actor.Attributes.name}}'
`);
