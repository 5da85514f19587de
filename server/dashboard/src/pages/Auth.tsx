import { useState, type ReactNode } from 'react';
import { advice, type Problem } from '../api/problem';
import { Field, Form } from '../components/Form';
import { firstRun, signIn, startSession } from '../state/session';

function AuthFrame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="auth">
      <div className="auth-box">
        <div className="auth-brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M4 21h5l3-10 4 14 4-11 2 7h6" />
          </svg>
          <span>nta</span>
          <span className="muted">network traffic analysis</span>
        </div>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

export function SignIn({ ended }: { ended: boolean }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  return (
    <AuthFrame title="Sign in">
      {ended && (
        <p className="hint" role="status">
          Your session has ended. Sign in to go on where you were.
        </p>
      )}
      <Form submit="Sign in" onSubmit={() => signIn(username, password)}>
        <Field label="User name" value={username} onChange={setUsername} autoComplete="username" autoFocus />
        <Field
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
        />
      </Form>
    </AuthFrame>
  );
}

export function FirstRun() {
  const [token, setToken] = useState('');
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const check = () =>
    password.length < 12
      ? 'The password needs at least 12 characters.'
      : password !== again
        ? 'The two passwords differ.'
        : null;
  return (
    <AuthFrame title="Create the first administrator">
      <p className="auth-lead">
        This server has no users yet. At its start it printed a one-time bootstrap token in its terminal: with
        it, choose who administers this server. Traffic is being captured already and shows as soon as you are
        in.
      </p>
      <Form
        submit="Create and sign in"
        check={check}
        onSubmit={() => firstRun(token.trim(), username, password)}
      >
        <Field label="Bootstrap token" value={token} onChange={setToken} autoComplete="off" autoFocus mono />
        <Field label="User name" value={username} onChange={setUsername} autoComplete="username" />
        <Field
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          hint="12 to 256 characters"
        />
        <Field
          label="Password again"
          type="password"
          value={again}
          onChange={setAgain}
          autoComplete="new-password"
        />
      </Form>
    </AuthFrame>
  );
}

export function Unreachable({ problem }: { problem: Problem }) {
  return (
    <AuthFrame title={problem.title}>
      <p className="auth-lead">{problem.detail}</p>
      <p className="hint">
        {problem.kind === 'offline' ? 'Is nta-server running? Start it, then try again.' : advice(problem)}
      </p>
      <button type="button" className="button button-primary" onClick={() => void startSession()}>
        Try again
      </button>
    </AuthFrame>
  );
}
