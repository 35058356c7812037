import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import { describeStore } from '../conformance.ts';

async function open() {
  const store = openMemoryStore();
  return { store, cleanup: () => store.close() };
}

describeStore('memory', open, {
  skip: [
    {
      reason: 'memory belongs to one opening',
      tests: [
        'shows a write at once to a second opening of the place',
        'shows blobs at once to a second opening of the place',
        'keeps everything when it is closed and opened again',
      ],
    },
  ],
});
