// What the example's headers do, without any Arduino. Ends with 1 where one does not.
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "outbox.h"

static int failures = 0;
#define expect(what, ok) \
  if (!(ok)) { failures++; printf("%s: not so\n", what); }

struct Leg {
  double to, seconds; // height, and how long the way there takes
};

// lift moves a bar 200 times a second, shaking by some tenths of a millimetre.
static std::string lift(RepFinder &f, std::initializer_list<Leg> legs, Rep *last = nullptr) {
  static uint64_t us = 1000000;
  double at = 0;
  std::string found;
  for (const Leg &leg : legs) {
    double from = at;
    for (int i = 1, n = (int)(leg.seconds * 200); i <= n; i++) {
      us += 5000;
      double part = (double)i / n;
      at = from + (leg.to - from) * (part - sin(2 * M_PI * part) / (2 * M_PI));
      Rep rep;
      if (f.position(us, (float)(at + (rand() % 5 - 2) * 1e-4), &rep)) {
        found += "r";
        if (last) *last = rep;
      }
    }
    at = leg.to;
  }
  return found;
}

int main() {
  { RepFinder f; Rep r{};
    expect("a rep", lift(f, {{0, 1}, {0.5, 1}, {0.5, 0.3}, {0, 1.5}, {0, 1}}, &r) == "r");
    expect("its range", fabs(r.romM - 0.5) < 0.02);
    expect("its duration", fabs(r.concentricS - 1) < 0.15);
    expect("its mean", fabs(r.meanMps - r.romM / r.concentricS) < 0.001);
    expect("its peak", r.peakMps > 0.85 && r.peakMps < 1.1); }
  { RepFinder f; Rep r{};
    expect("two, the second lowered slowly", lift(f, {{0, 1}, {0.5, 1}, {0.5, 2}, {0, 2}, {0, 0.5}, {0.5, 1}, {0, 1}}, &r) == "rr");
    expect("a rest at the top is no lowering", r.eccentricS > 1.3 && r.eccentricS < 2.3); }
  { RepFinder f; expect("a squat is told although the bar stays up", lift(f, {{0.6, 1}, {0.6, 2}, {0, 1}, {0.6, 1}, {0.6, 2}}) == "rr"); }
  { RepFinder f; expect("shaking", lift(f, {{0, 10}}).empty()); }
  { RepFinder f; expect("a small move", lift(f, {{0, 1}, {0.1, 0.3}, {0, 0.3}, {0.12, 0.3}, {0, 1}}).empty()); }
  { RepFinder f; expect("a rest on the way makes no second rep", lift(f, {{0, 1}, {0.3, 1}, {0.3, 1.5}, {0.6, 1}, {0, 1}}) == "r"); }
  { RepFinder f; expect("a bar thrown at 10 m/s", lift(f, {{0, 1}, {2.0, 0.2}, {0, 1}}).empty()); }

  Outbox<4> box;
  char text[2000];
  Rep r = {5000000, 0.5f, 0.8f, 0.5f, 1.0f, 0};
  expect("nothing", box.batch(text, sizeof text, "b", 1700000000000) == 0);
  box.push(r, 0);
  expect("no time yet", box.batch(text, sizeof text, "b", 1700000000000) == 0);
  box.clockIsSet(1700000000000, 7000000);
  expect("its time is known later", box.batch(text, sizeof text, "b", 1700000000000) == 1 && strstr(text, "\"time\":\"2023-11-14T22:13:18.000Z\""));
  std::string first = text;
  expect("the same text again, an hour later", box.batch(text, sizeof text, "b", 1700003600000) == 1 && first == text);
  box.push(r, 1700000000000);
  expect("a backlog", box.batch(text, sizeof text, "b", 1700003600000) == 2 && strstr(text, "\"seq\":1") && strstr(text, "\"historical\":true"));
  box.acknowledged(1);
  for (int i = 0; i < 5; i++) box.push(r, 1700000000000);
  expect("the ring keeps the newest and counts", box.size() == 4 && box.lost == 2 && box.batch(text, sizeof text, "b", 1700000000000) == 4 && strstr(text, "\"seq\":3") && strstr(text, "\"seq\":6"));
  expect("a short buffer takes what fits", box.batch(text, 300, "b", 1700000000000) == 1 && strlen(text) < 300);
  return failures > 0;
}
