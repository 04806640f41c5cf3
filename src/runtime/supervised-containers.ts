import { NotFoundError } from "#errors/errors.ts";
import type { ContainerExit } from "./container-runtime.ts";
import { type SupervisedBundle, SupervisedContainer } from "./supervised-container.ts";

export interface SupervisedContainersOptions {
  readonly exitDirectory: string;
  /** Ends what is left of a container whose conmon is gone. */
  readonly killLeftovers: (id: string) => void;
}

/** The containers that run under a conmon, or have and were not removed yet; and who wants to hear of their ends. */
export class SupervisedContainers {
  readonly #options: SupervisedContainersOptions;
  readonly #containers = new Map<string, SupervisedContainer>();
  readonly #exitListeners: ((exit: ContainerExit) => void)[] = [];
  readonly #oomListeners: ((id: string) => void)[] = [];

  constructor(options: SupervisedContainersOptions) {
    this.#options = options;
  }

  onExit(listener: (exit: ContainerExit) => void): void {
    this.#exitListeners.push(listener);
  }

  onOom(listener: (id: string) => void): void {
    this.#oomListeners.push(listener);
  }

  add(bundle: SupervisedBundle): SupervisedContainer {
    const { id } = bundle.files;
    const container = new SupervisedContainer(bundle, {
      exitDirectory: this.#options.exitDirectory,
      killLeftovers: () => this.#options.killLeftovers(id),
      onOom: () => {
        for (const listener of this.#oomListeners) listener(id);
      },
    });
    this.#containers.set(id, container);
    void container.ended.then((exit) => {
      for (const listener of this.#exitListeners) listener(exit);
    });
    return container;
  }

  find(id: string): SupervisedContainer | undefined {
    return this.#containers.get(id);
  }

  /** Throws NotFoundError. */
  get(id: string): SupervisedContainer {
    const container = this.#containers.get(id);
    if (!container) throw new NotFoundError(`No such container: ${id}`);
    return container;
  }

  /** Pid of its first process; undefined when it does not run. */
  pidOf(id: string): number | undefined {
    const container = this.#containers.get(id);
    return container && !container.hasEnded ? container.record.container.pid : undefined;
  }

  delete(id: string): void {
    this.#containers.delete(id);
  }

  /** Stops watching all; they run on. */
  release(): void {
    for (const container of this.#containers.values()) container.release();
    this.#containers.clear();
  }
}
