// A server that answers docs/rest_api.md with synthetic traffic: for developing the dashboard and for its tests.
//   node mock/server.mjs [--port 8099] [--setup]       --setup starts without users and prints a bootstrap token
// Without --setup it prints one random administrator. It keeps nothing and guards nothing of value.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Accounts } from './accounts.mjs';
import { ApiError, readBody, sendFile, sendJson, sendProblem } from './http.mjs';
import { kApplications } from './applications.mjs';
import * as hosts from './hosts.mjs';
import * as queries from './queries.mjs';
import { rfc3339, Traffic } from './traffic.mjs';

const kDist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');

function openStream(response, traffic) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let second = Math.floor(Date.now() / 1000) * 1000;
  const samples = [];
  for (let t = second - 900e3; t < second; t += 1000) samples.push(traffic.sample(t));
  send('hello', { capture: queries.capture(traffic), samples });
  const talkers = () => {
    const q = new URLSearchParams({ since: '-60s', dimension: 'address' });
    send('talkers', {
      window_seconds: 60,
      talkers: queries.top(traffic, q).rows.map((r) => ({
        address: r.key,
        wire_bytes: r.bytes,
        packets: r.packets,
        sent_wire_bytes: r.sent_bytes,
        received_wire_bytes: r.received_bytes,
      })),
    });
  };
  const timer = setInterval(() => {
    for (; second + 1000 <= Date.now(); second += 1000) {
      send('sample', traffic.sample(second));
      if ((second / 1000) % 2 === 0) talkers();
      const q = new URLSearchParams({ since: rfc3339(second), until: rfc3339(second + 1000) });
      for (const alert of queries.alerts(traffic, q).alerts) send('alert', alert);
    }
  }, 100);
  response.on('close', () => clearInterval(timer));
}

export function startMock({
  port = 0,
  setup = false,
  seed = 7,
  tokenSeconds = 900,
  dist = kDist,
  users = [],
} = {}) {
  const bootstrapToken = setup ? randomBytes(12).toString('hex') : null;
  const accounts = new Accounts({ tokenSeconds, bootstrapToken });
  for (const u of users) accounts.add(u.username, u.password, u.role);
  const traffic = new Traffic({ seed, startedAt: Date.now() });

  const viewer = (request) => accounts.require(request, 'viewer');
  const admin = (request) => accounts.require(request, 'admin');
  const read = (answer) => (c) => {
    viewer(c.request);
    sendJson(c.response, 200, answer(traffic, c.query));
  };
  const routes = {
    'GET /healthz': (c) => sendJson(c.response, 200, { status: 'ok' }),
    'GET /readyz': (c) => sendJson(c.response, 200, { status: 'ok' }),
    'GET /api/v1/setup': (c) => sendJson(c.response, 200, { needed: accounts.users.size === 0 }),
    'POST /api/v1/setup': (c) => sendJson(c.response, 201, accounts.setUp(c.body)),
    'POST /api/login': (c) => sendJson(c.response, 200, accounts.login(c.body)),
    'POST /api/v1/refresh': (c) => sendJson(c.response, 200, accounts.refresh(c.body)),
    'POST /api/v1/logout': (c) => {
      accounts.endSessions(viewer(c.request).username);
      sendJson(c.response, 204);
    },
    'GET /api/v1/me': (c) => {
      const u = viewer(c.request);
      sendJson(c.response, 200, { username: u.username, role: u.role });
    },
    'POST /api/v1/me/password': (c) => {
      const u = viewer(c.request);
      if (u.password !== c.body.current_password) throw new ApiError(403, 'the current password is wrong');
      if ((c.body.new_password ?? '').length < 12)
        throw new ApiError(400, 'new_password: 12 to 256 characters');
      u.password = c.body.new_password;
      sendJson(c.response, 204);
    },
    'GET /api/v1/users': (c) => {
      admin(c.request);
      sendJson(c.response, 200, { users: [...accounts.users.keys()].map((n) => accounts.view(n)) });
    },
    'POST /api/v1/users': (c) => {
      admin(c.request);
      sendJson(c.response, 201, accounts.add(c.body.username, c.body.password, c.body.role));
    },
    'PATCH /api/v1/users/:name': (c) => {
      admin(c.request);
      sendJson(c.response, 200, accounts.change(c.name, c.body));
    },
    'DELETE /api/v1/users/:name': (c) => {
      admin(c.request);
      accounts.remove(c.name);
      sendJson(c.response, 204);
    },
    'GET /api/v1/summary': read(queries.summary),
    'GET /api/traffic': read(queries.summary),
    'GET /api/v1/flows': read(queries.flows),
    'GET /api/v1/series': read(queries.series),
    'GET /api/v1/top': read(queries.top),
    'GET /api/v1/conversations': read(hosts.conversations),
    'GET /api/v1/names': (c) => {
      viewer(c.request);
      sendJson(c.response, 200, { complete: true, rows: [] });
    },
    'GET /api/v1/hosts/:name': (c) => {
      viewer(c.request);
      sendJson(c.response, 200, hosts.host(traffic, c.query, c.name));
    },
    'GET /api/v1/applications': (c) => {
      viewer(c.request);
      sendJson(c.response, 200, { applications: kApplications });
    },
    'GET /api/v1/alerts': read(queries.alerts),
    'GET /api/v1/capture': read(queries.capture),
    'GET /api/v1/notices': (c) => {
      viewer(c.request);
      sendJson(c.response, 200, { notices: [] });
    },
    'POST /api/v1/stream/ticket': (c) =>
      sendJson(c.response, 200, accounts.ticket(viewer(c.request).username)),
    'GET /api/v1/stream': (c) => {
      accounts.useTicket(c.query.get('ticket'));
      openStream(c.response, traffic);
    },
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    try {
      const named = /^\/api\/v1\/(users|hosts)\/([^/]+)$/.exec(url.pathname);
      const path = named ? `/api/v1/${named[1]}/:name` : url.pathname;
      const route = routes[`${request.method} ${path}`];
      if (route) {
        const body = request.method === 'GET' ? {} : await readBody(request);
        route({
          request,
          response,
          body,
          query: url.searchParams,
          name: named ? decodeURIComponent(named[2]) : undefined,
        });
      } else if (url.pathname.startsWith('/api/')) {
        throw new ApiError(404, `no such route: ${request.method} ${url.pathname}`);
      } else {
        await sendFile(response, dist, url.pathname);
      }
    } catch (error) {
      sendProblem(response, error);
    }
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const close = () =>
        new Promise((done) => {
          server.close(done);
          server.closeAllConnections();
        });
      resolve({ url: `http://127.0.0.1:${server.address().port}`, bootstrapToken, close, traffic });
    });
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const setup = process.argv.includes('--setup');
  const at = process.argv.indexOf('--port');
  const password = randomBytes(12).toString('base64url');
  const mock = await startMock({
    port: at > 0 ? Number(process.argv[at + 1]) : 8099,
    setup,
    users: setup ? [] : [{ username: 'admin', password, role: 'admin' }],
  });
  console.log(mock.url);
  console.log(setup ? `bootstrap token: ${mock.bootstrapToken}` : `admin / ${password}`);
}
