/** What rows that create names demand. */
import type { ConditionContext } from '../../../authz/action.ts';
import type { Demand, RequestHead } from '../../contract.ts';
import type { ObjectParams } from '../operation.ts';

/** What a row that creates names demands, with facts for the conditions of policies. */
export function creation(factsOf: (head: RequestHead) => ConditionContext): (head: RequestHead, params: ObjectParams) => readonly Demand[] {
  return (head, { bucket, key }) => [
    { action: 'create', s3Action: 's3:PutObject', resource: { bucket, name: key }, context: factsOf(head) },
  ];
}
