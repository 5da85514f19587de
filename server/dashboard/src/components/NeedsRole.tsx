import type { Role, User } from '../api/types';
import { Empty } from './States';

interface Props {
  user: User;
  role: Role;
  title: string;
  // "The logs are for".
  what: string;
}

// In place of a page that is not for this user.
export function NeedsRole({ user, role, title, what }: Props) {
  return (
    <Empty>
      <h1 className="page-title">{title}</h1>
      <p>
        {what} the role <strong>{role}</strong>; you are signed in as {user.username} with the role{' '}
        {user.role}.
      </p>
      <p>Ask an administrator.</p>
    </Empty>
  );
}
