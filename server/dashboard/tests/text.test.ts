import { describe, expect, it } from 'vitest';
import { shorten, visible } from '../src/lib/text';

describe('text from packets', () => {
  it('shows characters that turn the reading direction or are not seen', () => {
    expect(visible('gro.elpmaxe\u202emoc.knab')).toBe('gro.elpmaxe\ufffdmoc.knab');
    expect(visible('pay\u200bpal.example\u2066')).toBe('pay\ufffdpal.example\ufffd');
    expect(visible('a\u0000b\u0085c')).toBe('a\ufffdb\ufffdc');
  });
  it('keeps all other scripts, markup included, as they are', () => {
    expect(visible('münchen.例え.example <b>')).toBe('münchen.例え.example <b>');
  });
  it('is cut between characters, not inside them', () => {
    expect(shorten('abcdef', 6)).toBe('abcdef');
    expect(shorten('😀😀😀😀', 3)).toBe('😀😀…');
  });
});
