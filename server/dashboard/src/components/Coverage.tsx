import type { Answered } from '../api/types';
import { coverageText, kSourceHelp, lossText } from '../lib/coverage';
import { formatCount } from '../lib/format';

// Beside every answer: whether it is made of totals or of flows, and what capture saw and lost in its interval.
export function Coverage({ answer }: { answer: Answered | undefined }) {
  // Its place is kept until there is an answer.
  if (!answer) return <span className="coverage" />;
  const { source, capture } = answer;
  const loss = capture ? lossText(capture) : null;
  return (
    <span className="coverage">
      {source && <span title={kSourceHelp[source]}>{source}</span>}
      {capture && (capture.packets_seen > 0 || loss) && (
        <span title={`${coverageText({ capture })}, in the whole minutes of this range`}>
          {formatCount(capture.packets_seen)} packets seen
          {loss ? <strong className="bad">, {loss}</strong> : ', none dropped'}
        </span>
      )}
    </span>
  );
}
