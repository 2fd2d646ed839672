// new.cc -- C++'s operators in all forms; run by test_malloc.py
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <vector>

static int calls;
static void
handler()
{
  if (++calls == 3)
    std::set_new_handler(nullptr);
}

struct alignas(256) wide {
  char bytes[300];
};

int
main()
{
  volatile std::size_t huge = SIZE_MAX / 4;
  bool ok = true;
  try {
    delete[] new char[huge];
    ok = false;
  } catch (const std::bad_alloc &) {
  }
  ok &= new (std::nothrow) char[huge] == nullptr;
  std::set_new_handler(handler);
  ok &= new (std::nothrow) char[huge] == nullptr &&calls == 3;
  std::vector<wide *> wides;
  for (int i = 0; i < 100; i++)
    wides.push_back(new wide());
  for (wide *w : wides) {
    ok &= reinterpret_cast<std::uintptr_t>(w) % 256 == 0;
    delete w;
  }
  wide *several = new wide[5];
  ok &= reinterpret_cast<std::uintptr_t>(several) % 256 == 0;
  delete[] several;
  delete new (std::nothrow) wide();
  std::map<std::string, std::vector<int>> map;
  for (int i = 0; i < 2000; i++)
    map[std::to_string(i)].resize(static_cast<std::size_t>(i % 300));
  map.clear();
  std::puts(ok ? "ok" : "failed");
  return ok ? 0 : 1;
}
