import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { decodeCreateRequest } from "./create-request.ts";

function decode(body: unknown): ReturnType<typeof decodeCreateRequest> {
  return decodeCreateRequest(body, "");
}

describe("decodeCreateRequest()", () => {
  test("reads what docker's client sends and leaves out nulls and unknown fields", () => {
    const body = {
      Image: "busybox",
      Cmd: ["echo", "hi"],
      Entrypoint: null,
      Env: ["A=b"],
      ExposedPorts: { "80/tcp": {} },
      OnBuild: null,
      NetworkDisabled: false,
      HostConfig: {
        Binds: null,
        PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }], "81/tcp": null },
        RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
        Mounts: [{ Type: "volume", Source: "v", Target: "/v", VolumeOptions: { NoCopy: true } }],
        ConsoleSize: [24, 80],
        BlkioWeight: 0,
        LogConfig: { Type: "", Config: {} },
      },
      NetworkingConfig: { EndpointsConfig: { bridge: null } },
    };
    expect(decode(body)).toEqual({
      Image: "busybox",
      Cmd: ["echo", "hi"],
      Env: ["A=b"],
      ExposedPorts: { "80/tcp": {} },
      NetworkDisabled: false,
      HostConfig: {
        BlkioWeight: 0,
        PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }], "81/tcp": null },
        RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
        Mounts: [{ Type: "volume", Source: "v", Target: "/v", VolumeOptions: { NoCopy: true } }],
        ConsoleSize: [24, 80],
        LogConfig: { Type: "", Config: {} },
      },
      NetworkingConfig: { EndpointsConfig: { bridge: {} } },
    });
  });

  test("takes a command as one string, and names in any case, as Docker does", () => {
    expect(decode({ image: "busybox", CMD: "ls", Entrypoint: "/init" })).toEqual({
      Image: "busybox",
      Cmd: ["ls"],
      Entrypoint: ["/init"],
    });
  });

  test("gives zero values to what a part always has", () => {
    expect(decode({ HostConfig: { Devices: [{}], Mounts: [{ Target: "/a" }], RestartPolicy: {} } }).HostConfig).toEqual(
      {
        Devices: [{ PathOnHost: "", PathInContainer: "", CgroupPermissions: "" }],
        Mounts: [{ Type: "volume", Target: "/a" }],
        RestartPolicy: { Name: "" },
      },
    );
  });

  test.each([
    [{ Cmd: 5 }, 'cannot read "Cmd": expected a list, not 5'],
    [{ Cmd: ["a", 5] }, 'cannot read "Cmd[1]": expected a string, not 5'],
    [{ Env: "x" }, 'cannot read "Env": expected a list, not a string'],
    [{ Tty: "true" }, 'cannot read "Tty": expected true or false, not a string'],
    [{ Labels: { a: true } }, 'cannot read "Labels["a"]": expected a string, not true'],
    [{ ExposedPorts: ["80"] }, 'cannot read "ExposedPorts": expected an object, not a list'],
    [{ HostConfig: [] }, 'cannot read "HostConfig": expected an object, not a list'],
    [{ HostConfig: { Memory: "1g" } }, 'cannot read "HostConfig.Memory": expected a whole number, not a string'],
    [{ HostConfig: { NanoCpus: 0.5 } }, 'cannot read "HostConfig.NanoCpus": expected a whole number, not 0.5'],
    [
      { HostConfig: { PortBindings: { "80/tcp": [{ HostPort: 80 }] } } },
      'cannot read "HostConfig.PortBindings["80/tcp"][0].HostPort": expected a string, not 80',
    ],
    [{ HostConfig: { Mounts: [null] } }, 'cannot read "HostConfig.Mounts[0]": expected an object, not null'],
    [[], "cannot read the document: expected an object, not a list"],
    [
      { HostConfig: { RestartPolicy: { Name: "sometimes" } } },
      "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [{ HostConfig: { Mounts: [{ Type: "npipe" }] } }, 'invalid mount config for type "npipe": mount type unknown'],
  ])("refuses %j", (body, message) => {
    expect(() => decode(body)).toThrow(message);
    expect(() => decode(body)).toThrow(InvalidParameterError);
  });

  test("throws nothing but InvalidParameterError, whatever the body", () => {
    const field = fc.constantFrom(
      "Cmd",
      "Env",
      "HostConfig",
      "Mounts",
      "PortBindings",
      "Labels",
      "Memory",
      "__proto__",
    );
    const body = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 1.5, "x", []),
        fc.array(tie("value")),
        fc.dictionary(field, tie("value")),
      ),
    })).value;
    fc.assert(
      fc.property(body, (value) => {
        try {
          decode(value);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
        }
      }),
    );
  });
});
