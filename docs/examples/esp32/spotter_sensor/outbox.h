// Keeps reps until the broker has acknowledged them, and writes them as the wire contract
// wants them. Nothing in here knows of Arduino: it can be compiled and tried on any
// computer.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rep_finder.h"

// A rep as it waits. Times are absent (0) until NTP has set the clock; the rep then gets
// its time from how long ago it was.
struct Waiting {
  uint32_t seq;
  bool tried;           // was sent once: from then on its text must not change
  bool historical;
  int64_t unixMs;       // end of the concentric phase, 0 while the clock is not set
  uint64_t deviceUs;
  Rep rep;
};

template <size_t N> class Outbox {
public:
  // push takes a rep. When the ring is full the oldest is lost, and counted.
  void push(const Rep &r, int64_t unixMs) {
    if (count == N) {
      first = (first + 1) % N;
      count--;
      lost++;
    }
    ring[(first + count) % N] = {nextSeq++, false, false, unixMs, r.endedUs, r};
    count++;
  }

  // clockIsSet gives a time to the reps that were lifted before the clock was set.
  void clockIsSet(int64_t unixMsNow, uint64_t usNow) {
    for (size_t i = 0; i < count; i++) {
      Waiting &w = ring[(first + i) % N];
      if (w.unixMs == 0) w.unixMs = unixMsNow - (int64_t)((usNow - w.deviceUs) / 1000);
    }
  }

  // batch writes the oldest reps as a JSON array of at most size bytes, the final zero
  // included, and returns how many they are; 0 where there are none, or the clock is not
  // set yet. What is older than ten minutes is marked: nobody is called for it.
  size_t batch(char *text, size_t size, const char *bootId, int64_t unixMsNow, size_t most = 20) {
    size_t used = 0, n = 0;
    while (n < count && n < most) {
      Waiting &w = ring[(first + n) % N];
      if (w.unixMs == 0) break;
      if (!w.tried) w.historical = unixMsNow - w.unixMs > 600000;
      char one[400];
      int length = write(one, sizeof one, w, bootId);
      if (length <= 0 || (size_t)length >= sizeof one || used + (size_t)length + 3 > size) break;
      text[used++] = n == 0 ? '[' : ',';
      memcpy(text + used, one, (size_t)length);
      used += (size_t)length;
      w.tried = true;
      n++;
    }
    if (n > 0) {
      text[used++] = ']';
      text[used] = 0;
    }
    return n;
  }

  // acknowledged forgets the oldest n.
  void acknowledged(size_t n) {
    first = (first + n) % N;
    count -= n;
  }

  size_t size() const { return count; }
  uint32_t lost = 0;

private:
  static int write(char *to, size_t size, const Waiting &w, const char *bootId) {
    time_t seconds = (time_t)(w.unixMs / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char when[24];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    char eccentric[32] = "";
    if (w.rep.eccentricS > 0) snprintf(eccentric, sizeof eccentric, ",\"eccentric_s\":%.3f", (double)w.rep.eccentricS);
    return snprintf(to, size,
      "{\"boot_id\":\"%s\",\"seq\":%lu,\"time\":\"%s.%03dZ\",\"device_us\":%llu,"
      "\"mean_velocity_mps\":%.4f,\"peak_velocity_mps\":%.4f,\"rom_m\":%.4f,\"concentric_s\":%.4f%s%s}",
      bootId, (unsigned long)w.seq, when, (int)(w.unixMs % 1000), (unsigned long long)w.deviceUs,
      (double)w.rep.meanMps, (double)w.rep.peakMps, (double)w.rep.romM, (double)w.rep.concentricS,
      eccentric, w.historical ? ",\"historical\":true" : "");
  }

  Waiting ring[N];
  size_t first = 0, count = 0;
  uint32_t nextSeq = 0;
};
