// What a person does with a cell: edit, run, stop, answer, restore; and that its state
// is always clear.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Visitor, lacking, launch, type Cell } from './browser.ts';
import { Storeroom } from './storeroom.ts';

describe('a cell', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  let visitor: Visitor;
  let scratch: Cell;
  before(async () => {
    storeroom = await Storeroom.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });
  beforeEach(async () => {
    visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    scratch = visitor.cell('scratch');
  });
  afterEach(() => visitor.leave());

  test('an edited snippet runs as edited, is kept over a reload, and can be restored', async () => {
    const cell = visitor.cell('redis/set-and-get');
    const original = await cell.code();
    await cell.type(original.replaceAll("'bar'", "'edited'"));
    assert.match(await cell.run(), /b'edited'/);
    await visitor.page.reload();
    await visitor.connected();
    assert.match(await cell.code(), /'edited'/);
    assert.match(await cell.run(), /b'edited'/);
    await cell.press('Restore');
    assert.equal(await cell.code(), original);
    assert.match(await cell.run(), /b'bar'/);
    await visitor.page.reload();
    assert.equal(await cell.code(), original);
  });

  test('Copy copies what stands there, and says so', async () => {
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const cell = visitor.cell('redis/set-and-get');
    const clipboard = (): Promise<string> => visitor.page.evaluate(() => navigator.clipboard.readText());
    await cell.press('Copy');
    await cell.element.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await clipboard(), await cell.code());
    await scratch.type('print("mine")');
    await scratch.press('Copy');
    await scratch.element.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await clipboard(), 'print("mine")');
    // As over a class's plain http, where the browser has no clipboard for the page.
    await visitor.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }));
    await cell.press('Copy');
    await cell.element.getByRole('button', { name: 'Copied' }).waitFor();
  });

  test('Ctrl+Enter and Cmd+Enter run from within the code, and put no line into it', async () => {
    for (const keys of ['Control+Enter', 'Meta+Enter']) {
      await scratch.type(`print('by ${keys}')`);
      await visitor.page.keyboard.press(keys);
      await scratch.printed(`by ${keys}`);
      await scratch.phase('ended');
      assert.equal(await scratch.code(), `print('by ${keys}')`);
    }
  });

  test('variables stay from one cell to the next', async () => {
    await scratch.type('basket = [1, 2, 3]');
    assert.equal(await scratch.run(), '');
    assert.equal(await scratch.hint(), 'It printed nothing.');
    await scratch.type('sum(basket)');
    assert.match(await scratch.run(), /^6$/m);
  });

  test('an error shows the learner’s own line, apart from what was printed', async () => {
    await scratch.type("print('before')\nbasket = []\nbasket[7]");
    await scratch.run();
    assert.match(await scratch.state(), /^Failed/);
    assert.match(await scratch.hint(), /run it again/);
    assert.equal(await scratch.element.locator('.out .plain').innerText(), 'before');
    const error = await scratch.element.locator('.out .err').innerText();
    assert.match(error, /scratch\.py", line 3/);
    assert.match(error, /IndexError: list index out of range/);
  });

  test('output is text and never markup', async () => {
    await scratch.type("print('<b>bold</b><script>alert(1)</script>')");
    assert.equal(await scratch.run(), '<b>bold</b><script>alert(1)</script>');
    assert.equal(await scratch.element.locator('.out script').count(), 0);
  });

  test('a terminal’s codes, a progress bar, tabs and other writing come out as a person expects', async () => {
    await scratch.type("import time\nprint('\\x1b[31mred\\x1b[0m\\tafter a tab')\nfor i in range(0, 101, 50):\n    print(f'\\r{i} %', end='', flush=True)\n    time.sleep(0.05)\nprint()\nprint('שלום · 世界 · 👩‍💻 · e\\u0301 · nul\\0')\nprint('\\u202eturned')\nprint('straight')");
    assert.equal(await scratch.run(), 'red\tafter a tab\n100 %\nשלום · 世界 · 👩‍💻 · e\u0301 · nul␀\n\u202eturned\nstraight');
    const width = (text: string): Promise<number> => scratch.element.locator('.out .plain').evaluate((element, part) => {
      const node = element.firstChild!;
      const range = document.createRange();
      range.setStart(node, node.textContent!.indexOf(part));
      range.setEnd(node, node.textContent!.indexOf(part) + part.length);
      return range.getBoundingClientRect().left - element.getBoundingClientRect().left;
    }, text);
    assert.ok((await width('straight')) < 1, 'one line’s direction is no other’s');
  });

  test('a megabyte in one print is all there, in one line and in many', async () => {
    for (const [code, lines] of [["print('x' * 1_000_000)", 1], ["print('a line of it\\n' * 70_000, end='')", 70_000]] as const) {
      await scratch.type(code);
      await scratch.run();
      assert.match(await scratch.state(), /^Done/);
      await scratch.element.locator('.fold').click();
      const text = await scratch.element.locator('.out pre.whole').evaluate((element) => element.textContent ?? '');
      assert.ok(text.length > 900_000, `${text.length} characters`);
      assert.equal(text.split('a line of it').length - 1, lines === 1 ? 0 : lines);
      await scratch.press('Show less');
    }
  });

  test('long output folds, and all of it can be shown', async () => {
    await scratch.type("for i in range(2341):\n    print('line', i)");
    const folded = await scratch.run();
    assert.match(folded, /^line 0$/m);
    assert.match(folded, /line 2340/);
    assert.doesNotMatch(folded, /line 1000/);
    await scratch.press('Show all 2,341 lines');
    // Not innerText: what is out of sight is not laid out.
    assert.match(await scratch.element.locator('.out').textContent() ?? '', /line 1000\n/);
    await scratch.press('Show less');
    assert.doesNotMatch(await scratch.output(), /line 1000/);
  });

  test('a flood of errors and prints in turn does not flood the page', async () => {
    await scratch.type("import sys\nfor i in range(4000):\n    print(i)\n    print(i, file=sys.stderr)");
    await scratch.run();
    assert.ok((await scratch.element.locator('.out *').count()) < 200);
    await scratch.element.locator('.fold').click();
    assert.ok((await scratch.element.locator('.out *').count()) < 5000);
  });

  test('output streams in while the program runs', async () => {
    await scratch.type("import time\nprint('first')\ntime.sleep(3)\nprint('second')");
    await scratch.start();
    await scratch.printed('first');
    assert.match(await scratch.element.locator('.out').innerText(), /^first$/);
    await scratch.element.locator('.chip.state', { hasText: /Running · [12]\.\d s/ }).waitFor();
    assert.match(await scratch.ended(), /second/);
  });

  test('an endless loop is stopped with the variables kept', async () => {
    await scratch.type("kept = 41\nprint('going')\nwhile True:\n    pass");
    await scratch.start();
    await scratch.printed('going');
    await scratch.press('Stop');
    await scratch.phase('ended');
    assert.match(await scratch.state(), /^Stopped/);
    assert.match(await scratch.output(), /^going/);
    await scratch.type('print(kept + 1)');
    assert.match(await scratch.run(), /42/);
  });

  test('a double click on Run runs, and does not stop', async () => {
    await scratch.type("import time\ntime.sleep(1)\nprint('whole')");
    await scratch.element.locator('button.run').dblclick();
    assert.match(await scratch.ended(), /whole/);
    assert.match(await scratch.state(), /^Done/);
  });

  test('Escape stops as well, and a loop that catches everything too', async () => {
    await scratch.type("print('going')\nwhile True:\n    try:\n        while True: pass\n    except BaseException:\n        pass");
    await scratch.start();
    await scratch.printed('going');
    await visitor.page.keyboard.press('Escape');
    await scratch.phase('ended');
    assert.match(await scratch.state(), /^Stopped/);
    await scratch.type("print('on')");
    assert.match(await scratch.run(), /on/);
  });

  test('input() asks for a line in place', async () => {
    await scratch.type("name = input('Your name? ')\nage = input('And age? ')\nprint('Hello', name, age)");
    await scratch.start();
    await scratch.phase('asking');
    const field = scratch.element.getByRole('textbox', { name: 'Your name?' });
    await field.waitFor();
    assert.match(await scratch.state(), /Waiting for you/);
    await field.fill('Ada <i>');
    await field.press('Enter');
    await scratch.element.getByRole('textbox', { name: 'And age?' }).fill('36');
    await scratch.press('Send');
    assert.equal(await scratch.ended(), 'Your name? Ada <i>\nAnd age? 36\nHello Ada <i> 36');
    assert.equal(await scratch.element.locator('.question').isVisible(), false);
  });

  test('input() can be stopped', async () => {
    await scratch.type("input('Wait? ')");
    await scratch.start();
    await scratch.phase('asking');
    await visitor.page.keyboard.press('Escape');
    await scratch.phase('ended');
    assert.match(await scratch.state(), /^Stopped/);
  });

  test('a second cell waits for the first', async () => {
    await scratch.type("import time\ntime.sleep(2)\nprint('first')");
    const second = visitor.cell('redis/set-and-get');
    await scratch.start();
    await second.start();
    await second.phase('behind');
    assert.match(await second.ended(), /b'bar'/);
    assert.match(await scratch.output(), /first/);
  });

  test('a program that ends the interpreter or needs too much says what happened', async () => {
    await scratch.type("x = []\nwhile True:\n    x.append(bytearray(1 << 20))");
    await scratch.run();
    assert.match(await scratch.state(), /^(Failed|Out of memory)/);
    assert.ok((await scratch.hint()).length > 0);
    await scratch.type("print('still here')");
    assert.match(await scratch.run(), /still here/);
  });

  test('reset asks first, and then everything is new', async () => {
    await visitor.cell('redis/set-and-get').run();
    await visitor.shelf('redis').locator('li', { hasText: 'foo' }).waitFor();
    await visitor.page.getByRole('button', { name: 'Reset', exact: true }).click();
    await visitor.page.getByRole('button', { name: 'Keep everything' }).click();
    assert.equal(await visitor.shelf('redis').locator('li', { hasText: 'foo' }).count(), 1);
    await visitor.page.getByRole('button', { name: 'Reset', exact: true }).click();
    await visitor.page.locator('dialog[open]').getByRole('button', { name: 'Reset', exact: true }).click();
    await visitor.shelf('redis').filter({ hasText: 'no keys' }).waitFor();
    await visitor.page.locator('#notice', { hasText: 'Your storeroom is new' }).waitFor();
    await scratch.type("import redis\nprint(redis.Redis().get('foo'))");
    assert.match(await scratch.run(), /None/);
  });
});
