import { metadataGroups, type MetadataLine } from '../../lib/metadata';
import { formatPrecise, parseTime, type Zone } from '../../lib/time';
import { filterBy } from '../../state/view';
import { CopyHostile } from '../HostileText';
import { Explained } from '../Explained';

export function MetadataPart({ metadata, zone }: { metadata: Record<string, string>; zone: Zone }) {
  return metadataGroups(metadata).map(({ title, lines }) => (
    <section key={title} aria-label={title}>
      <h3>{title}</h3>
      <dl className="facts">
        {lines.map((line) => (
          <Line key={line.key} line={line} zone={zone} />
        ))}
      </dl>
    </section>
  ));
}

function Line({ line, zone }: { line: MetadataLine; zone: Zone }) {
  const time = parseTime(line.value);
  return (
    <div>
      <dt>{line.help ? <Explained text={line.help}>{line.label}</Explained> : line.label}</dt>
      <dd>
        {Number.isFinite(time) ? (
          formatPrecise(time, zone)
        ) : line.value === 'true' ? (
          'yes'
        ) : (
          <CopyHostile text={line.value} className={line.mono ? 'mono' : ''} />
        )}
        {line.filter && (
          <button
            type="button"
            className="text-button fact-action"
            aria-label={`Filter ${line.filter} like this`}
            onClick={() => filterBy(line.filter!, line.value, false)}
          >
            filter
          </button>
        )}
      </dd>
    </div>
  );
}
