export * from './snapshot.ts';
export * from './policy.ts';
