import { kFields } from '../lib/filter';
import { Dialog } from './Dialog';

const kKeys: [string, string][] = [
  ['/', 'write a filter'],
  ['j, k', 'next, previous row'],
  ['Enter', 'open the row'],
  ['a, e', 'in Alerts: acknowledge'],
  ['s, x', 'in Alerts: suppress'],
  ['Esc', 'close, leave'],
  ['?', 'this help'],
  ['← →', 'on a chart: read values (Shift: ten at a time)'],
  ['Enter, Enter', 'on a chart: begin and end a zoom'],
  ['-', 'zoom out'],
  [', .', 'one range earlier, later'],
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys, clicks and filters" onClose={onClose}>
      <div className="help">
        <section>
          <h3>Keys</h3>
          <dl className="key-list">
            {kKeys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <h3>Clicks</h3>
          <p>
            A click on an address, port or protocol adds it to the filter; with Alt it is excluded. Drag over
            a chart to zoom in, double-click to zoom out.
          </p>
        </section>
        <section>
          <h3>Filter</h3>
          <p>
            Comparisons with <code>= != &lt; &lt;= &gt; &gt;= in (…)</code>, joined by <code>and</code>,{' '}
            <code>or</code>, <code>not</code> and parentheses.
          </p>
          <dl className="key-list">
            {kFields.map((field) => (
              <div key={field.name}>
                <dt>
                  <code>{field.example}</code>
                </dt>
                <dd>{field.help}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
