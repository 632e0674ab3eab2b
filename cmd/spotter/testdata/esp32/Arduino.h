// As much of Arduino, FreeRTOS and the ESP32's libraries as the example calls, on a
// computer. The MQTT client is a small real one: it speaks to a real broker.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#define IRAM_ATTR
#define HIGH 1
#define LOW 0
#define OUTPUT 1
#define INPUT_PULLUP 2
#define CHANGE 3

class String : public std::string {
public:
  using std::string::string;
  String(const std::string &s) : std::string(s) {}
  int indexOf(const char *what) const {
    size_t at = find(what);
    return at == npos ? -1 : (int)at;
  }
};

// The pins: two that the encoder sets, and what the sketch sets.
extern std::atomic<int> pins[64];
extern void (*encoderInterrupt)();

inline void pinMode(int, int) {}
inline int digitalRead(int pin) { return pins[pin]; }
inline void digitalWrite(int pin, int level) {
  if (pins[pin].exchange(level) != level) {
    printf("pin %d is %d\n", pin, level);
    fflush(stdout);
  }
}
inline int digitalPinToInterrupt(int pin) { return pin; }
inline void attachInterrupt(int, void (*call)(), int) { encoderInterrupt = call; }

inline int64_t esp_timer_get_time() {
  static const auto began = std::chrono::steady_clock::now();
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count();
}
inline uint32_t millis() { return (uint32_t)(esp_timer_get_time() / 1000); }
inline void delay(uint32_t ms) { usleep(ms * 1000); }
inline uint32_t esp_random() { return std::random_device()(); }
inline void configTime(long, int, const char *, const char *) {}

typedef uint32_t TickType_t;
typedef std::mutex *SemaphoreHandle_t;
#define portMAX_DELAY 0
#define pdMS_TO_TICKS(ms) (ms)
inline SemaphoreHandle_t xSemaphoreCreateMutex() { return new std::mutex; }
inline void xSemaphoreTake(SemaphoreHandle_t m, int) { m->lock(); }
inline void xSemaphoreGive(SemaphoreHandle_t m) { m->unlock(); }
inline TickType_t xTaskGetTickCount() { return millis(); }
inline void vTaskDelayUntil(TickType_t *last, TickType_t ticks) {
  *last += ticks;
  int32_t wait = (int32_t)(*last - millis());
  if (wait > 0) delay((uint32_t)wait);
}
inline void xTaskCreatePinnedToCore(void (*task)(void *), const char *, int, void *arg, int, void *, int) {
  std::thread(task, arg).detach();
}
