import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { getFlows } from '../api/endpoints';
import { toProblem, type Problem } from '../api/problem';
import { characterAt, complete, fromPills, isNegated, removePill, toPills } from '../lib/filter';
import { sentence } from '../lib/format';
import { useFilterValues } from '../state/applications';
import { isTyping, useKey, useSmall } from '../state/hooks';
import { setView, useView } from '../state/view';
import { Icon } from './Icon';

interface Failure {
  problem: Problem;
  where: string;
}

// The server knows the grammar: it is asked with a query over one minute, which costs it next to nothing.
async function check(where: string): Promise<Problem | null> {
  if (!where) return null;
  try {
    await getFlows({ since: '-1m', until: 'now', where, limit: 1 });
    return null;
  } catch (error) {
    const problem = toProblem(error);
    return problem.status === 400 ? problem : null;
  }
}

export function FilterBar() {
  const { where } = useView();
  const small = useSmall();
  const pills = toPills(where);
  const [draft, setDraft] = useState('');
  const [caret, setCaret] = useState(0);
  const [focused, setFocused] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [hidden, setHidden] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const values = useFilterValues(focused);
  const listId = useId();
  const errorId = useId();

  // A filter from a link, or from a value in a packet, is checked as one that was typed.
  useEffect(() => {
    let current = true;
    void check(where).then((problem) => {
      if (current) setFailure(problem && { problem, where });
    });
    return () => {
      current = false;
    };
  }, [where]);

  useKey((event) => {
    if (event.key !== '/' || isTyping(event)) return;
    event.preventDefault();
    input.current?.focus();
  });

  const options = focused && !hidden ? complete(draft, caret, values).slice(0, 12) : [];
  const edit = (text: string, at = text.length) => {
    setDraft(text);
    setCaret(at);
    setChosen(-1);
    setHidden(false);
    if (failure && failure.where !== where) setFailure(null);
  };
  const take = (index: number) => {
    const option = options[index];
    if (!option) return;
    const text = draft.slice(0, option.from) + option.insert + draft.slice(caret);
    edit(text, option.from + option.insert.length);
    input.current?.focus();
  };
  // What was typed stays in the line until the server has accepted it.
  const commit = async () => {
    if (!draft.trim()) return;
    const next = fromPills([...pills, ...toPills(draft)]);
    const problem = await check(next);
    if (problem) {
      setFailure({ problem, where: next });
      return;
    }
    setFailure(null);
    edit('');
    setView({ where: next });
  };
  const reopen = (index: number) => {
    const text = pills[index]!;
    setView({ where: removePill(where, index) });
    edit(text);
    input.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' && options.length) setChosen((chosen + 1) % options.length);
    else if (event.key === 'ArrowUp' && options.length)
      setChosen((chosen + options.length - 1) % options.length);
    else if (event.key === 'Tab' && !event.shiftKey && options.length && draft) take(Math.max(0, chosen));
    else if (event.key === 'Enter') {
      if (chosen >= 0) take(chosen);
      else void commit();
    } else if (event.key === 'Escape') {
      if (options.length && draft) setHidden(true);
      else {
        edit('');
        input.current?.blur();
      }
    } else if (event.key === 'Backspace' && draft === '' && pills.length) reopen(pills.length - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const track = () => setCaret(input.current?.selectionStart ?? draft.length);

  return (
    <div className={`filter-bar ${failure ? 'has-problem' : ''}`} role="search">
      <div
        className="filter-line"
        onClick={(event) => {
          if (event.target === event.currentTarget) input.current?.focus();
        }}
      >
        <Icon name="filter" />
        {pills.map((pill, i) => (
          <span key={`${i}${pill}`} className={`pill ${isNegated(pill) ? 'pill-not' : ''}`}>
            <button type="button" className="pill-text mono" title="Edit" onClick={() => reopen(i)}>
              {pill}
            </button>
            <button
              type="button"
              className="pill-remove"
              aria-label={`Remove filter ${pill}`}
              onClick={() => setView({ where: removePill(where, i) })}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
        <input
          ref={input}
          className="mono"
          value={draft}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          autoComplete="off"
          aria-label="Filter"
          role="combobox"
          aria-expanded={options.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `${listId}-${chosen}` : undefined}
          aria-invalid={failure !== null}
          aria-describedby={failure ? errorId : undefined}
          placeholder={
            pills.length
              ? 'and …'
              : small
                ? 'Filter: dport=443'
                : 'Filter: src=10.0.0.0/8 and dport in (80,443)'
          }
          onChange={(event) =>
            edit(event.target.value, event.target.selectionStart ?? event.target.value.length)
          }
          onKeyDown={onKeyDown}
          onKeyUp={track}
          onClick={track}
          onFocus={() => {
            setFocused(true);
            setHidden(draft === '');
          }}
          onBlur={() => setFocused(false)}
        />
        {(pills.length > 0 || draft) && (
          <button
            type="button"
            className="icon-button"
            aria-label="Clear filter"
            title="Clear filter"
            onClick={() => {
              edit('');
              setFailure(null);
              setView({ where: '' });
            }}
          >
            <Icon name="close" />
          </button>
        )}
        {!focused && pills.length === 0 && !draft && <kbd aria-hidden="true">/</kbd>}
      </div>
      {options.length > 0 && (
        <ul className="completions" role="listbox" id={listId} aria-label="Completions">
          {options.map((option, i) => (
            <li
              key={option.label}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                take(i);
              }}
            >
              <span className="mono">{option.label}</span>
              <span className="muted">{option.help}</span>
            </li>
          ))}
        </ul>
      )}
      {failure && <FilterProblem failure={failure} id={errorId} />}
    </div>
  );
}

function FilterProblem({ failure, id }: { failure: Failure; id: string }) {
  const { problem, where } = failure;
  // The server counts bytes.
  const at = problem.position === undefined ? undefined : characterAt(where, problem.position);
  return (
    <div className="filter-problem" id={id} role="alert">
      {at !== undefined && (
        <pre className="mono">
          {where.slice(0, at)}
          <mark>{where.slice(at, at + 1) || ' '}</mark>
          {where.slice(at + 1)}
          {`\n${' '.repeat(at)}^`}
        </pre>
      )}
      {/* Here there is only one parameter. */}
      <p>{sentence(problem.detail.replace(/^parameter "where": /, ''))}</p>
    </div>
  );
}
