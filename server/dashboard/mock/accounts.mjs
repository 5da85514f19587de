import { randomBytes } from 'node:crypto';
import { ApiError } from './http.mjs';

const kRank = { viewer: 0, operator: 1, admin: 2 };
const secret = () => randomBytes(18).toString('base64url');

// Users, tokens and tickets in memory. Passwords are compared as they are: this server only ever runs in a test.
export class Accounts {
  constructor({ tokenSeconds = 900, bootstrapToken = null } = {}) {
    this.users = new Map();
    this.tokens = new Map();
    this.refreshTokens = new Map();
    this.tickets = new Map();
    this.tokenSeconds = tokenSeconds;
    this.bootstrapToken = bootstrapToken;
  }

  add(username, password, role) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(username ?? ''))
      throw new ApiError(400, 'username: 1 to 64 of A-Z a-z 0-9 . _ -');
    if (typeof password !== 'string' || password.length < 12)
      throw new ApiError(400, 'password: 12 to 256 characters');
    if (kRank[role] === undefined) throw new ApiError(400, 'role: viewer, operator or admin');
    if (this.users.has(username)) throw new ApiError(409, `user "${username}" exists already`);
    this.users.set(username, { username, password, role, created: new Date().toISOString() });
    return this.view(username);
  }

  view(username) {
    const { role, created } = this.users.get(username);
    return { username, role, created };
  }

  issue(username) {
    const token = secret();
    const refresh_token = secret();
    this.tokens.set(token, { username, until: Date.now() + this.tokenSeconds * 1000 });
    this.refreshTokens.set(refresh_token, username);
    const { role } = this.users.get(username);
    return { token, refresh_token, expires_in: this.tokenSeconds, user: { username, role } };
  }

  setUp({ bootstrap_token, username, password }) {
    if (this.users.size > 0) throw new ApiError(409, 'the first administrator exists already');
    if (bootstrap_token !== this.bootstrapToken)
      throw new ApiError(403, 'the bootstrap token is not the one printed at first start');
    this.add(username, password, 'admin');
    return this.issue(username);
  }

  login({ username, password }) {
    if (this.users.get(username)?.password !== password)
      throw new ApiError(401, 'user name or password is wrong');
    return this.issue(username);
  }

  refresh({ refresh_token }) {
    const username = this.refreshTokens.get(refresh_token);
    this.refreshTokens.delete(refresh_token);
    if (!username || !this.users.has(username))
      throw new ApiError(401, 'the refresh token is used up or unknown; sign in again');
    return this.issue(username);
  }

  require(request, role) {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const known = this.tokens.get(token);
    if (!known || known.until < Date.now() || !this.users.has(known.username))
      throw new ApiError(401, 'sign in first');
    const user = this.users.get(known.username);
    if (kRank[user.role] < kRank[role])
      throw new ApiError(403, `this needs the role ${role}; you are ${user.role}`);
    return user;
  }

  endSessions(username) {
    for (const [t, s] of this.tokens) if (s.username === username) this.tokens.delete(t);
    for (const [t, u] of this.refreshTokens) if (u === username) this.refreshTokens.delete(t);
  }

  change(username, { role, password }) {
    const user = this.users.get(username);
    if (!user) throw new ApiError(404, `no user "${username}"`);
    if (role && role !== 'admin') this.keepOneAdmin(user);
    if (password !== undefined && password.length < 12)
      throw new ApiError(400, 'password: 12 to 256 characters');
    if (role) user.role = role;
    if (password) user.password = password;
    this.endSessions(username);
    return this.view(username);
  }

  remove(username) {
    const user = this.users.get(username);
    if (!user) throw new ApiError(404, `no user "${username}"`);
    this.keepOneAdmin(user);
    this.users.delete(username);
    this.endSessions(username);
  }

  keepOneAdmin(user) {
    const admins = [...this.users.values()].filter((u) => u.role === 'admin');
    if (user.role === 'admin' && admins.length === 1)
      throw new ApiError(409, `"${user.username}" is the last administrator`);
  }

  ticket(username) {
    const ticket = secret();
    this.tickets.set(ticket, { username, until: Date.now() + 30_000 });
    return { ticket, expires_in: 30 };
  }

  useTicket(ticket) {
    const known = this.tickets.get(ticket);
    this.tickets.delete(ticket);
    if (!known || known.until < Date.now()) throw new ApiError(401, 'the ticket is used up or unknown');
    return known.username;
  }
}
