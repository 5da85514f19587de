#include "store/memory_fault.h"

#include <sqlite3.h>

#include <cstdlib>
#include <new>

namespace nta {
namespace {

thread_local MemoryFault fault;
sqlite3_mem_methods below;

void* Allocate(int size) { return fault.Hits(false) ? nullptr : below.xMalloc(size); }
void* Reallocate(void* memory, int size) {
  return fault.Hits(false) ? nullptr : below.xRealloc(memory, size);
}

}  // namespace

MemoryFault& MemoryFaultOfThread() { return fault; }

bool InstallMemoryFaults() {
  static const bool installed = [] {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &below);
    sqlite3_mem_methods methods = below;
    methods.xMalloc = Allocate;
    methods.xRealloc = Reallocate;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK &&
           sqlite3_initialize() == SQLITE_OK;
  }();
  return installed;
}

}  // namespace nta

void* operator new(std::size_t size) {
  void* memory = nta::MemoryFaultOfThread().Hits(true) ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
