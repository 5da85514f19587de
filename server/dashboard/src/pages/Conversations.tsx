import { useCallback } from 'react';
import { getConversations } from '../api/endpoints';
import type { Conversation, Conversations as Answer, Measure } from '../api/types';
import { SankeyChart } from '../charts/SankeyChart';
import { Coverage } from '../components/Coverage';
import { ExportMenu } from '../components/ExportMenu';
import { HostTabs } from '../components/HostTabs';
import { PairTable } from '../components/PairTable';
import { Segmented } from '../components/Segmented';
import { NothingHere } from '../components/NoFlows';
import { Loaded } from '../components/States';
import { formatBytes, formatCount, formatPercent, plural } from '../lib/format';
import { useSmall } from '../state/hooks';
import { useQuery } from '../state/query';
import { refreshMs } from '../state/refresh';
import { filterBy, useExtra, useView } from '../state/view';

const kMeasures: { value: Measure; label: string }[] = [
  { value: 'bytes', label: 'bytes' },
  { value: 'packets', label: 'packets' },
  { value: 'flows', label: 'flows' },
];
const kColumns = [
  'source',
  'destination',
  'source_name',
  'destination_name',
  'bytes',
  'packets',
  'flows',
  'forward_bytes',
  'reverse_bytes',
] as const;
const kPairs = 25;
const kPairsSmall = 10;

export function Conversations() {
  const view = useView();
  const [byText, setBy] = useExtra('by', 'bytes');
  const by = kMeasures.find((m) => m.value === byText)?.value ?? 'bytes';
  const small = useSmall();
  const limit = small ? kPairsSmall : kPairs;
  const query = useQuery(
    `conversations ${by} ${limit} ${view.range.since} ${view.range.until} ${view.where}`,
    (signal) => getConversations({ ...view.range, by, limit, where: view.where }, signal),
    Math.max(refreshMs(view.range), view.range.until === 'now' ? 15_000 : 0),
  );
  return (
    <div className="explore">
      <div className="explore-main">
        <div className="explore-head">
          <HostTabs />
          <span className="muted" role="status">
            {query.data ? share(query.data, view.where !== '') : ''}
          </span>
          <span className="panel-tools">
            <Coverage answer={query.data} />
            <Segmented label="Order by" value={by} choices={kMeasures} onChange={setBy} />
            <ExportMenu
              what={plural(query.data?.rows.length ?? 0, 'pair') + ' as shown.'}
              saved={() => ({
                name: 'conversations',
                header: [...kColumns],
                rows: (query.data?.rows ?? []).map((row) => kColumns.map((name) => row[name])),
              })}
            />
          </span>
        </div>
        <div className="explore-scroll">
          <Loaded query={query} skeleton={<div className="skeleton-chart sankey-skeleton" />}>
            {(answer) =>
              answer.rows.length === 0 ? <NoPairs /> : <Pairs answer={answer} by={answer.by ?? by} />
            }
          </Loaded>
        </div>
      </div>
    </div>
  );
}

// How much of everything the pairs shown are.
function share({ rows, total, by }: Answer, isFiltered: boolean): string {
  const shown = rows.reduce((sum, row) => sum + row[by], 0);
  return `${plural(rows.length, 'pair')} with ${formatPercent(shown, total[by])} of all ${by}${isFiltered ? ', as filtered' : ''}`;
}

function Pairs({ answer, by }: { answer: Answer; by: Measure }) {
  const value = useCallback((row: Conversation) => row[by], [by]);
  const text = useCallback(
    (amount: number) => (by === 'bytes' ? formatBytes(amount) : `${formatCount(amount)} ${by}`),
    [by],
  );
  return (
    <div className="conversations">
      <SankeyChart rows={answer.rows} value={value} text={text} onPick={filterBy} />
      <h2 className="section-title">The same in numbers</h2>
      <PairTable rows={answer.rows} total={answer.total.bytes} />
    </div>
  );
}

function NoPairs() {
  return (
    <div className="explore-note">
      <NothingHere>
        {(where) => (where ? <>Nobody’s flows match {where}</> : 'Nobody talked to anybody')}
      </NothingHere>
    </div>
  );
}
