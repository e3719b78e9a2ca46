// Builds the front end. Without an argument: dist/, which the Go program embeds. With
// --tests or --e2e: the tests, bundled so that node can run them.

import * as esbuild from 'esbuild';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const here = import.meta.dirname;
const target = ['es2022', 'chrome111', 'firefox115', 'safari16.4'];

const mode = process.argv[2] ?? '';
if (mode === '--tests') await buildTests('src', 'build/tests');
else if (mode === '--e2e') await buildTests('e2e', 'build/e2e');
else await buildPage();

async function buildPage() {
  const out = path.join(here, 'dist');
  await mkdir(out, { recursive: true });
  const result = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { page: 'src/page.ts', styles: 'src/page.css', icon: 'src/icon.svg' },
    outdir: 'dist', entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]', assetNames: '[name]-[hash]',
    bundle: true, splitting: true, format: 'esm', minify: true, target, metafile: true, legalComments: 'none',
    charset: 'utf8', loader: { '.svg': 'copy' },
  });
  const names = manifest(result.metafile);
  await writeFile(path.join(out, 'manifest.json'), `${JSON.stringify(names, null, 2)}\n`);
  // The old build goes last, so that dist/ is whole at any moment.
  const fresh = new Set(['.keep', 'manifest.json', ...Object.keys(result.metafile.outputs).map((file) => path.basename(file))]);
  for (const name of await readdir(out)) if (!fresh.has(name)) await rm(path.join(out, name), { recursive: true });
  for (const file of Object.keys(result.metafile.outputs).sort()) {
    const bytes = await readFile(path.join(here, file));
    console.log(`${file}  ${bytes.length} bytes, ${gzipSync(bytes).length} compressed`);
  }
}

// manifest names the built file of each entry, as the templates ask for them.
function manifest(metafile) {
  const sources = { 'src/page.ts': 'page.js', 'src/page.css': 'page.css', 'src/icon.svg': 'icon.svg', 'src/editor.ts': 'editor.js' };
  const names = {};
  for (const [file, output] of Object.entries(metafile.outputs)) {
    const name = sources[output.entryPoint ?? ''] ?? sources[Object.keys(output.inputs)[0] ?? ''];
    if (name !== undefined) names[name] = path.basename(file);
  }
  return names;
}

async function buildTests(from, to) {
  await rm(path.join(here, to), { recursive: true, force: true });
  const tests = (await readdir(path.join(here, from))).filter((name) => name.endsWith('.test.ts') || name === 'picture.ts');
  await esbuild.build({
    absWorkingDir: here,
    entryPoints: tests.map((name) => path.join(from, name)),
    outdir: to, outExtension: { '.js': '.mjs' },
    bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external', sourcemap: 'inline', logLevel: 'warning',
  });
}
