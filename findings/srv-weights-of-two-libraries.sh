#!/usr/bin/env bash
# dns-srv 0.3.0 and service-agent 4.0.2 (npm): the weights of SRV records.
#
# One would guess: of two servers of one priority with the weights 90 and 10, the first is tried first nine times of
# ten, in whatever order DNS names them: "larger weights should be given a proportionately higher probability of
# being selected" (RFC 2782).
# Seen: both have the same code, which selects the server after the right one: named first, the server of weight 90
# is tried first about once in ninety times, and the one of weight 10 nearly always. Named last, it is right, by
# chance. The DNS answers here are given by the script.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" dns-srv@0.3.0 service-agent@4.0.2 >/dev/null
cat > probe.cjs <<'JS'
const dns = require("node:dns");
const { EventEmitter } = require("node:events");
const http = require("node:http");

let records;
dns.resolveSrv = (name, answer) => answer(null, structuredClone(records));
dns.lookup = (name, answer) => answer(null, name);
const srv = require("dns-srv");
const ServiceAgent = require("service-agent");

const libraries = {
  "dns-srv": () =>
    new Promise((resolve) => {
      const socket = new EventEmitter();
      socket.setTimeout = () => {};
      socket.connect = (port, name) => resolve(name);
      srv.connect(socket, ["_ldap._tcp"], "corp.example", 389);
    }),
  "service-agent": () =>
    new Promise((resolve) => {
      http.Agent.prototype.addRequest = (request, name) => resolve(name);
      new ServiceAgent().addRequest({ setHeader() {}, _implicitHeader() {} }, { host: "corp.example" });
    }),
};
(async () => {
  for (const weights of [[10, 90], [90, 10]]) {
    records = weights.map((weight) => ({ priority: 0, weight, port: 389, name: `weight${weight}` }));
    for (const [library, first] of Object.entries(libraries)) {
      let heavy = 0;
      for (let i = 0; i < 2000; i++) heavy += (await first()) === "weight90";
      const share = heavy > 1600 ? "more than 80" : heavy < 100 ? "less than 5" : "other";
      console.log(`${library}, weights ${weights}: the server of weight 90 is first in ${share} of 100`);
    }
  }
})();
JS
node probe.cjs | tee result
diff result - <<'TEXT'
dns-srv, weights 10,90: the server of weight 90 is first in more than 80 of 100
service-agent, weights 10,90: the server of weight 90 is first in more than 80 of 100
dns-srv, weights 90,10: the server of weight 90 is first in less than 5 of 100
service-agent, weights 90,10: the server of weight 90 is first in less than 5 of 100
TEXT
