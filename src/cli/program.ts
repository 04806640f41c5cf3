import { basename } from "node:path";

/**
 * The program's name in help and errors. Reached through a link called `docker`, Berth answers by that name: tools look for `Docker version` in `-v`
 * and for `docker: Error response from daemon` behind `run`.
 */
export const PROGRAM: "berth" | "docker" = basename(process.argv0) === "docker" ? "docker" : "berth";
