import { describeStore } from '../conformance.ts';
import { openLocalPlace } from './place.ts';

describeStore('local', openLocalPlace);
