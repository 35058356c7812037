/** The request as a handler sees it. */
import type { Principal } from '../authn/principal.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import type { Actor } from '../core/core.ts';
import type { Call, Demand, Payload, RequestHead } from '../protocols/contract.ts';
import { span } from '../telemetry/traces.ts';
import { actorOf } from './actor.ts';
import type { Exchange } from './exchange.ts';
import type { Caller, Gate } from './gate.ts';

/** Ties a recognised operation, its caller and the gate together. A class for the reason that `Exchange` is one. */
export class HandlerCall<Params> implements Call<Params> {
  readonly head: RequestHead;
  readonly params: Params;
  readonly operation: string;
  readonly payload: Payload;
  readonly snapshot: LoadedSnapshot;
  readonly #exchange: Exchange;
  readonly #gate: Gate;

  constructor(exchange: Exchange, gate: Gate, caller: Caller, recognised: { readonly name: string; readonly params: Params }) {
    this.head = exchange.head;
    this.params = recognised.params;
    this.operation = recognised.name;
    this.snapshot = exchange.snapshot;
    this.#exchange = exchange;
    this.#gate = gate;
    exchange.principal = caller.principal;
    exchange.conditions = caller.conditions;
    this.payload = caller.open(exchange.body.bytes);
  }

  get principal(): Principal {
    return this.#exchange.principal;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  get actor(): Actor {
    const { traceId } = this.#exchange;
    return actorOf(this.principal, { operation: this.operation, requestId: this.head.id, traceId, remoteAddress: this.head.remoteAddress });
  }

  authorise(demand: Demand): void {
    this.#gate.authorise(this.#exchange, demand);
  }

  may(demand: Demand): boolean {
    return this.#gate.may(this.#exchange, demand);
  }

  admit(subject: Parameters<Call<Params>['admit']>[0]): ReturnType<Call<Params>['admit']> {
    return span('admit', {}, () => this.#gate.admit(subject, this.#exchange));
  }

  inform(status: number, headers: Readonly<Record<string, string>>): void {
    this.#exchange.inform(status, headers);
  }

  become(principal: Principal): void {
    this.#exchange.principal = principal;
  }
}
