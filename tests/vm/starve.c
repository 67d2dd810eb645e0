// SPDX-License-Identifier: GPL-2.0-or-later
// Takes the only CPU of a machine for ever: no other process runs any more, whatever it waits for.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int main(void) {
  // Else the scheduler keeps a twentieth of the time for the others.
  int limit = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);
  if (limit < 0 || write(limit, "-1", 2) != 2) return 1;
  const struct sched_param first = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) return 1;
  for (;;) __asm__ volatile("");
}
