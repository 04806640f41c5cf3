import { type Step, steps } from "../step.ts";

/** The engine itself, and what it has not. */
export const SYSTEM: readonly Step[] = steps(`
  version --format '{{.Server.Os}}/{{.Server.Arch}}'
  info --format '{{.OSType}} {{.Architecture}} {{.NCPU}} {{.CgroupDriver}} {{.CgroupVersion}} {{.Swarm.LocalNodeState}} {{.DefaultRuntime}}'
  system df
  system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
  events --since 2001-01-01 --until 2001-01-02
  events --since 1h --until 0s --filter type=nope
  info --format '{{.Containers}} {{.ContainersRunning}} {{.Images}} {{.LoggingDriver}} {{json .Plugins.Volume}} {{.ExperimentalBuild}} {{.IndexServerAddress}} {{.Isolation}}'
  info --format '{{.MemoryLimit}} {{.SwapLimit}} {{.CPUCfsPeriod}} {{.CPUCfsQuota}} {{.CPUShares}} {{.CPUSet}} {{.PidsLimit}} {{.OomKillDisable}} {{.IPv4Forwarding}} {{.Debug}} {{.SystemTime}} {{.KernelVersion}} {{.OSVersion}} {{.MemTotal}} {{.Name}}'
  info --format '{{json .RegistryConfig.IndexConfigs}} {{json .Labels}} {{json .DefaultAddressPools}} {{.InitBinary}}'
  version --format '{{range .Server.Components}}{{if eq .Name "runc"}}{{.Version}}{{end}}{{end}} {{.Server.KernelVersion}} {{.Server.MinAPIVersion}}'
  events --since nope
  events --since 2001-01-01 --until 2001-01-02 --filter nope=1
  node ls
  service ls
  swarm leave
  plugin ls
  plugin inspect nope
  plugin install nope
  secret ls
  config ls
  stack ls
  swarm init --advertise-addr nope
  swarm join --token x 127.0.0.1:1
  swarm inspect
  checkpoint ls nope
  trust inspect nope
  system prune -f
`);
