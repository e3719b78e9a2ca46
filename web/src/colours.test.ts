// Every pair of colours that the page writes with, in both schemes: WCAG 2.2 AA asks
// for 4.5 to 1 in text and 3 to 1 in the edges of controls.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../../src/page.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
const schemes = { light: colours(light), dark: { ...colours(light), ...colours(dark) } };

const STORES = ['files', 'postgres', 'mongo', 'redis'];
const TEXT: Array<[string, string[]]> = [
  ['ink', ['paper', 'shelf', 'panel', 'glow']],
  ['soft', ['paper', 'shelf', 'panel']],
  ['good', ['shelf', 'paper', 'panel']],
  ['bad', ['paper', 'shelf', 'panel']],
  ['python', ['panel', 'shelf']],
  ['paper', ['ink']],
  ['on-bad', ['bad']],
  ...STORES.map((store): [string, string[]] => [store, ['panel', 'shelf', 'glow']]),
  ...['code-word', 'code-text', 'code-figure', 'code-note'].map((word): [string, string[]] => [word, ['panel', 'glow']]),
];
const EDGES: Array<[string, string[]]> = [
  ['line-strong', ['paper', 'panel', 'shelf']],
  ['focus', ['paper', 'panel', 'shelf']],
];

for (const [scheme, palette] of Object.entries(schemes)) {
  for (const [pairs, least] of [[TEXT, 4.5], [EDGES, 3]] as const) {
    test(`${scheme}: ${least} to 1`, () => {
      for (const [front, backs] of pairs) {
        for (const back of backs) {
          const ratio = contrast(palette[front], palette[back]);
          assert.ok(ratio >= least, `--${front} on --${back} is ${ratio.toFixed(2)} to 1`);
        }
      }
    });
  }
}

function colours(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

function contrast(one: string | undefined, other: string | undefined): number {
  assert.ok(one !== undefined && other !== undefined, 'a colour has no value');
  const [dim = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dim + 0.05);
}

// luminance is WCAG's relative luminance.
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
