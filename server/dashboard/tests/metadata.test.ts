import { describe, expect, it } from 'vitest';
import type { Flow } from '../src/api/types';
import { metadataGroups, metadataWarnings } from '../src/lib/metadata';

const titles = (metadata: Record<string, string>) => metadataGroups(metadata).map((group) => group.title);

describe('metadata', () => {
  it('is grouped, without groups that have nothing', () => {
    expect(titles({ ja4: 't13d', server_name: 'a.example', http_status: '200' })).toEqual([
      'Names',
      'Fingerprints',
      'HTTP',
    ]);
    expect(titles({})).toEqual([]);
    expect(titles({ server_name: '' })).toEqual([]);
  });
  it('shows fields of newer servers under their own name', () => {
    const [group] = metadataGroups({ beacon_interval: '60' });
    expect(group).toMatchObject({ title: 'Other', lines: [{ label: 'beacon interval', value: '60' }] });
  });
});

describe('warnings', () => {
  const flow = (metadata: Record<string, string>) =>
    ({ last_seen: '2026-11-22T08:00:00Z', metadata }) as unknown as Flow;
  it('tell a certificate that had run out when the flow was seen, not today', () => {
    expect(metadataWarnings(flow({ certificate_not_after: '2026-11-22T07:59:59Z' }))[0]).toMatch(/run out/);
    expect(metadataWarnings(flow({ certificate_not_after: '2026-11-22T08:00:01Z' }))).toEqual([]);
    expect(metadataWarnings(flow({ certificate_not_before: '2027-01-01T00:00:00Z' }))[0]).toMatch(
      /not valid yet/,
    );
  });
  it('count log-ins that failed', () => {
    expect(metadataWarnings(flow({ login_failures: '3', login_successes: '1' }))).toEqual([
      '3 log-ins failed, then one was accepted.',
    ]);
    expect(metadataWarnings(flow({ login_failures: '1' }))).toEqual(['One log-in failed.']);
    expect(metadataWarnings(flow({ login_failures: '0', login_successes: '1' }))).toEqual([]);
  });
  it('are none for a certificate whose dates cannot be read', () =>
    expect(metadataWarnings(flow({ certificate_not_after: 'soon' }))).toEqual([]));
});
