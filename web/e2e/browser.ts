// The browser under test: Debian's Chromium, and a page as a person sees it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

// lacking says why these tests can't be run here; false when they can. CI has all it needs.
export function lacking(): string | false {
  if (existsSync(CHROMIUM)) return false;
  if (process.env['CI'] !== undefined || process.env['STOREROOM_CI'] === '1') throw new Error(`${CHROMIUM} is not there, and CI must have it`);
  return `needs chromium (${CHROMIUM})`;
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

// A run on a busy machine may take this long, in milliseconds.
export const PATIENCE = Number(process.env['PATIENCE'] ?? 60_000);

// Visitor is one person: a browser profile of their own and a page in it.
export class Visitor {
  readonly complaints: string[] = []; // what the browser's console said against the page

  private constructor(readonly context: BrowserContext, readonly page: Page) {}

  static async arrive(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ baseURL: address, viewport: { width: 1280, height: 900 }, ...options });
    return Visitor.in(context);
  }

  // in opens another tab of the same person.
  static async in(context: BrowserContext): Promise<Visitor> {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor(context, page);
    page.on('pageerror', (error) => visitor.complaints.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      // A network that is away is what some tests are about.
      if (message.type() === 'error' && !/WebSocket connection|net::ERR_/.test(message.text())) visitor.complaints.push(message.text());
    });
    return visitor;
  }

  async read(lesson: string): Promise<void> {
    await this.page.goto(`/lesson/${lesson}`);
    await this.connected();
  }

  // connected waits for the page's own word that it is.
  async connected(): Promise<void> {
    await this.page.locator('storeroom-link[data-state=open]').waitFor({ state: 'attached' });
  }

  cell(id: string): Cell {
    return new Cell(this.page.locator(`storeroom-cell[data-cell="${id}"]`), this.page);
  }

  // shelf is what stands on a store's shelf, a line an item.
  shelf(store: string): Locator {
    return this.page.locator(`storeroom-shelves .store-${store}`);
  }

  async leave(): Promise<void> {
    assert.deepEqual(this.complaints, [], 'the browser complained');
    await this.context.close();
  }
}

export class Cell {
  constructor(readonly element: Locator, readonly page: Page) {}

  // run presses Run and waits for the end.
  async run(): Promise<string> {
    await this.start();
    return this.ended();
  }

  async start(): Promise<void> {
    await this.element.locator('button.run').click();
  }

  // ended waits for the run's end and gives what was printed.
  async ended(): Promise<string> {
    await this.phase('ended');
    return this.output();
  }

  async phase(name: string): Promise<void> {
    await this.page.locator(`storeroom-cell[data-cell="${await this.element.getAttribute('data-cell')}"][data-phase="${name}"]`).waitFor();
  }

  // printed waits until the output holds a text.
  async printed(text: string | RegExp): Promise<void> {
    await this.element.locator('.out').filter({ hasText: text }).waitFor();
  }

  async output(): Promise<string> {
    const out = this.element.locator('.out');
    return (await out.isVisible()) ? out.innerText() : '';
  }

  // state is what the chip says.
  state(): Promise<string> {
    return this.element.locator('.chip.state').innerText();
  }

  hint(): Promise<string> {
    return this.element.locator('.meta .long').innerText();
  }

  // type replaces the code, as a person who selects all and pastes.
  async type(code: string): Promise<void> {
    await this.element.locator('.cm-content').click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(code);
    assert.equal(await this.code(), code);
  }

  async code(): Promise<string> {
    return this.element.evaluate((cell) => (cell as HTMLElement & { code: string }).code);
  }

  press(button: string): Promise<void> {
    return this.element.getByRole('button', { name: button, exact: true }).click();
  }
}
