import type { Flow } from '../../api/types';
import { applicationOf, categoryName, evidenceOf, nameOf } from '../../lib/applications';
import { seriesClass } from '../../lib/colors';
import { metadataWarnings } from '../../lib/metadata';
import { FilterValue } from '../Value';
import { HostileText } from '../HostileText';

// What the flow is, before all numbers: application, how it is known, what it serves, and what is odd about it.
export function ApplicationPart({ flow }: { flow: Flow }) {
  const known = applicationOf(flow);
  const evidence = evidenceOf(flow);
  const name = nameOf(flow);
  const category = flow.category && flow.category !== 'unknown' ? flow.category : null;
  const warnings = metadataWarnings(flow);
  return (
    <div className="application-part">
      <p className="application-line">
        {known ? (
          <>
            <span className={`swatch ${seriesClass(known.key)} ${evidence.isGuess ? 'swatch-guess' : ''}`} />
            <strong>
              {evidence.isGuess && 'perhaps '}
              <FilterValue field="app" value={known.key}>
                {known.text}
              </FilterValue>
            </strong>
          </>
        ) : (
          <strong>Application not known</strong>
        )}
        {name && (
          <>
            {' to '}
            <HostileText text={name} className="mono" />
          </>
        )}
      </p>
      <p className="muted">
        {evidence.long}
        {category && (
          <>
            {' Serves: '}
            <FilterValue field="category" value={category}>
              {categoryName(category)}
            </FilterValue>
            .
          </>
        )}
      </p>
      {warnings.map((text) => (
        <p key={text} className="application-warning">
          {text}
        </p>
      ))}
    </div>
  );
}
