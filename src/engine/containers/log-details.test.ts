import { expect, test } from "bun:test";
import { parseDigest } from "#formats/digest.ts";
import { type ContainerRecord, NEW_STATE } from "./container-record.ts";
import { logDetails } from "./log-details.ts";

test("logDetails() names what the options choose, escaped and sorted", () => {
  const record: ContainerRecord = {
    id: "0123456789abcdef",
    name: "web",
    created: 0,
    imageId: parseDigest(`sha256:${"a".repeat(64)}`),
    imageName: "nginx",
    config: { Labels: { tier: "a b", "com.example/x": "1", other: "2" }, Env: ["LANG=de", "SECRET=s"] },
    hostConfig: {
      LogConfig: {
        Type: "json-file",
        Config: { labels: "tier,absent", "labels-regex": "^com", env: "LANG", tag: "{{.Name}}/{{.ID}}" },
      },
    },
    endpointRequests: {},
    mounts: [],
    state: NEW_STATE,
  };
  expect(logDetails(record)).toBe("LANG=de,com.example%2Fx=1,tag=web%2F0123456789ab,tier=a+b");
  expect(logDetails({ ...record, hostConfig: {} })).toBe("");
});
