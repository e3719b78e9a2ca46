// The program under test: bin/storeroom with a data folder of its own, behind a door
// that a test can shut, so that "the network went away" happens without touching it.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

// The binary stands at the project's root, which is two folders above build/e2e's web/.
const BINARY = process.env['STOREROOM_BINARY'] ?? path.join(import.meta.dirname, '../../../bin/storeroom');
// START is long because the first start of all fetches and prepares Python.
const START = 10 * 60_000; // milliseconds

export class Storeroom {
  readonly door = new Door();
  #child: ChildProcess | undefined;
  #log: string[] = [];

  private constructor(
    private readonly command: readonly string[],
    private readonly folder: string,
    private readonly flags: readonly string[],
  ) {}

  // onOneCore starts it where it sees one processor, so that few runs fill it.
  static onOneCore(...flags: string[]): Promise<Storeroom> {
    return Storeroom.#start(['taskset', '--cpu-list', '0', BINARY], flags);
  }

  static start(...flags: string[]): Promise<Storeroom> {
    return Storeroom.#start([BINARY], flags);
  }

  static async #start(command: readonly string[], flags: readonly string[]): Promise<Storeroom> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: run make build first`);
    const folder = await mkdtemp(path.join(tmpdir(), 'storeroom-e2e-'));
    await chmod(folder, 0o755); // as root, each learner's processes have a user of their own
    const storeroom = new Storeroom(command, folder, flags);
    try {
      await storeroom.up();
      await storeroom.door.open();
    } catch (error) {
      await storeroom.close();
      throw error;
    }
    return storeroom;
  }

  // address is where browsers go; it stays the same over restarts.
  get address(): string {
    return this.door.address;
  }

  // up starts the program on the same data.
  async up(): Promise<void> {
    const [program = BINARY, ...before] = this.command;
    const child = spawn(program, [...before, 'serve', '--listen', '127.0.0.1:0', '--data', path.join(this.folder, 'data'), '--run', path.join(this.folder, 'run'), ...this.flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#log = [];
    createInterface(child.stderr!).on('line', (line) => this.#log.push(line));
    const address = await new Promise<string>((found, failed) => {
      const timer = setTimeout(() => failed(new Error(`no address after ${START / 1000} s:\n${this.log}`)), START);
      createInterface(child.stdout!).on('line', (line) => {
        this.#log.push(line);
        const match = /listening on (https?:\/\/\S+)/.exec(line);
        if (match?.[1] !== undefined) found(match[1]);
      });
      child.once('error', failed);
      child.once('exit', (status) => failed(new Error(`storeroom ended with status ${status}:\n${this.log}`)));
      child.once('exit', () => clearTimeout(timer));
      child.stdout!.once('close', () => clearTimeout(timer));
    });
    this.door.to = Number(new URL(address).port);
  }

  // kill ends the program as a power cut would.
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async close(): Promise<void> {
    await this.#end('SIGTERM');
    await this.door.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  get log(): string {
    return this.#log.join('\n');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(late);
  }
}

// Door passes bytes on to the program.
export class Door {
  to = 0;
  #shut = false;
  #through = new Set<net.Socket>();
  #server = net.createServer((browser) => this.#pass(browser));

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  open(): Promise<void> {
    return new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  // cut breaks every connection that is open.
  cut(): void {
    for (const socket of this.#through) socket.destroy();
  }

  // shut lets nothing through any more.
  shut(): void {
    this.#shut = true;
    this.cut();
  }

  reopen(): void {
    this.#shut = false;
  }

  async close(): Promise<void> {
    this.shut();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }

  #pass(browser: net.Socket): void {
    if (this.#shut) {
      browser.destroy();
      return;
    }
    const program = net.connect(this.to, '127.0.0.1');
    for (const [one, other] of [[browser, program], [program, browser]] as const) {
      this.#through.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#through.delete(one);
        other.destroy();
      });
    }
  }
}
