// Finds reps in the positions of a rotary encoder. Nothing in here knows of Arduino: it
// can be compiled and tried on any computer.
#pragma once

#include <math.h>
#include <stdint.h>

// One concentric phase, from the bar's lowest point to its highest.
struct Rep {
  uint64_t endedUs;      // on the clock that position() is given
  float meanMps;         // displacement by duration
  float peakMps;
  float romM;
  float concentricS;
  float eccentricS;      // of the lowering before it, 0 where there was none
};

class RepFinder {
public:
  // A rise counts from leastRiseM on. It is over when the bar has come back by turnM, more
  // than it shakes, from its highest point, or has rested there for a second.
  explicit RepFinder(float leastRiseM = 0.15f, float turnM = 0.02f)
    : leastRise(leastRiseM), turn(turnM) {}

  // position takes where the bar is, in metres, upward positive, at a time in
  // microseconds; call it 50 to 200 times a second. It returns true when a rep is over,
  // and fills it in.
  bool position(uint64_t us, float m, Rep *rep) {
    if (!started) {
      started = true;
      low = high = last = {us, m};
      return false;
    }
    float dt = (us - last.us) / 1e6f;
    // The velocity is smoothed over some 30 ms, as an encoder's steps are coarse.
    if (dt > 0) {
      float blend = dt / (dt + 0.03f);
      velocity += blend * ((m - last.m) / dt - velocity);
    }
    last = {us, m};
    if (rising) {
      if (m > high.m) high = last;
      if (m >= high.m - stillM) top = last; // until the lowering begins
      if (velocity > peak) peak = velocity;
      bool turned = m < high.m - turn;
      bool found = false;
      if (!told && (turned || us - high.us > restUs)) {
        told = true; // a bar that rises on after a rest makes no second rep
        found = finish(rep);
      }
      if (turned) {
        rising = false;
        haveTop = true;
        low = last;
      }
      return found;
    } else {
      if (m <= low.m + stillM) {
        // Rest at the bottom is no part of the rise: it begins where the bar was last
        // down here.
        if (m < low.m) low = last;
        else low.us = us;
      }
      if (!haveBottom || m < bottom.m - stillM) {
        bottom = last;
        haveBottom = true;
      }
      if (m > low.m + turn) {
        rising = true;
        eccentric = haveTop && haveBottom && bottom.us > top.us ? (bottom.us - top.us) / 1e6f : 0;
        haveBottom = false;
        told = false;
        high = top = last;
        peak = velocity;
      }
    }
    return false;
  }

private:
  struct Point {
    uint64_t us;
    float m;
  };
  static constexpr float stillM = 0.004f;
  static constexpr uint64_t restUs = 1000000; // at the top, after which a rep is over

  bool finish(Rep *rep) {
    float rom = high.m - low.m;
    float seconds = (high.us - low.us) / 1e6f;
    if (rom < leastRise || rom > 2.5f || seconds < 0.1f || seconds > 15.0f) return false;
    float mean = rom / seconds;
    if (mean > 4.0f) return false;
    *rep = {high.us, mean, fmaxf(peak, mean), rom, seconds, eccentric > 60 ? 0 : eccentric};
    return true;
  }

  float leastRise, turn;
  bool started = false, rising = false, told = false, haveTop = false, haveBottom = false;
  float velocity = 0, peak = 0, eccentric = 0;
  Point low{}, high{}, last{}, top{}, bottom{};
};
