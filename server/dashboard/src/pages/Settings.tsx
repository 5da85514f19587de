import type { User } from '../api/types';
import { Elsewhere } from './settings/Elsewhere';
import { RetentionSection } from './settings/RetentionSection';

export function Settings({ user }: { user: User }) {
  return (
    <div className="settings">
      <h1 className="page-title">Settings</h1>
      <RetentionSection user={user} />
      <Elsewhere user={user} />
    </div>
  );
}
