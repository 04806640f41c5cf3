// Sends a request to TARGET every INTERVAL milliseconds and logs the answer and how long it took.
const http = require("node:http");
const https = require("node:https");

const method = process.env.METHOD || "HEAD";
const interval = Number(process.env.INTERVAL || "3000");
const target = process.env.TARGET || "blog.sixeyed.com";
// A bare host name is asked over https, as a browser would; an http:// URL names a plain server.
const url = new URL(target.includes("://") ? target : `https://${target}`);
const client = url.protocol === "http:" ? http : https;

if (!Number.isInteger(interval) || interval < 1) {
  console.error("INTERVAL must be a number of milliseconds, not: %s", process.env.INTERVAL);
  process.exit(2);
}

let count = 0;

function ping() {
  count += 1;
  const started = Date.now();
  console.log("Making request number: %d; at %d", count, started);
  const request = client.request(url, { method, timeout: 10_000 }, (response) => {
    const now = Date.now();
    console.log("Got response status: %d at %d; duration: %dms", response.statusCode, now, now - started);
    response.resume();
  });
  request.on("timeout", () => request.destroy(new Error("no answer within 10 seconds")));
  request.on("error", (error) => console.error("Got error: %s at %d", error.message, Date.now()));
  request.end();
}

// As process 1 of a container it must end itself: the kernel ignores signals that process 1 has no handler for.
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    console.log("** web-ping ** Stopped by %s after %d requests", signal, count);
    process.exit(0);
  });
}

console.log("** web-ping ** Pinging: %s; method: %s; %dms intervals", target, method, interval);
ping();
setInterval(ping, interval);
