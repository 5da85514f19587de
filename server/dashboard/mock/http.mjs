// The small part of a web framework the mock needs: problems, bodies, files.
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

export class ApiError extends Error {
  constructor(status, detail, extra = {}) {
    super(detail);
    this.status = status;
    this.extra = extra;
  }
}

const kTitles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const kSecurity = {
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

export function sendJson(response, status, body) {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...kSecurity,
  });
  response.end(text);
}

export function sendProblem(response, error) {
  const status = error instanceof ApiError ? error.status : 500;
  const headers = { 'content-type': 'application/problem+json', ...kSecurity };
  if (error.extra?.retry_after) headers['retry-after'] = String(error.extra.retry_after);
  response.writeHead(status, headers);
  response.end(
    JSON.stringify({
      type: 'about:blank',
      title: kTitles[status] ?? 'Error',
      status,
      detail: error.message,
      ...error.extra,
    }),
  );
}

export async function readBody(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  if (!text) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, 'the body is not JSON');
  }
}

export async function sendFile(response, root, path) {
  const relative = normalize(path === '/' ? '/index.html' : path).replace(/^(\.\.[/\\])+/, '');
  try {
    const bytes = await readFile(join(root, relative));
    response.writeHead(200, {
      'content-type': kTypes[extname(relative)] ?? 'application/octet-stream',
      ...kSecurity,
    });
    response.end(bytes);
  } catch {
    sendProblem(response, new ApiError(404, `no such file: ${path}`));
  }
}
