// Owns nothing but being a thread's entry: the product's tasks, served.

import { serve } from './serve.js';
import { TASKS } from './tasks.js';

serve(TASKS);
