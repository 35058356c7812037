/** The request as a handler sees it. */
import type { Principal } from '../authn/principal.ts';
import type { Call, Demand } from '../protocols/contract.ts';
import { span } from '../telemetry/traces.ts';
import { actorOf } from './actor.ts';
import type { Exchange } from './exchange.ts';
import type { Asking, Caller, Gate } from './gate.ts';

/** Ties a recognised operation, its caller and the gate together. */
export function createCall<Params>(
  exchange: Exchange,
  gate: Gate,
  caller: Caller,
  recognised: { readonly name: string; readonly params: Params },
): Call<Params> {
  const { head, snapshot } = exchange;
  const occasion = { operation: recognised.name, requestId: head.id, traceId: exchange.traceId, remoteAddress: head.remoteAddress };
  const asking = (): Asking => ({ principal: exchange.principal, head, snapshot });
  return {
    head,
    snapshot,
    operation: recognised.name,
    params: recognised.params,
    payload: caller.open(exchange.body.bytes),
    get principal() {
      return exchange.principal;
    },
    get signal() {
      return exchange.signal;
    },
    get actor() {
      return actorOf(exchange.principal, occasion);
    },
    authorise: (demand: Demand) => gate.authorise(asking(), demand),
    may: (demand: Demand) => gate.may(asking(), demand),
    admit: (subject) => span('admit', {}, () => gate.admit(subject, asking())),
    become(principal: Principal) {
      exchange.principal = principal;
    },
  };
}
