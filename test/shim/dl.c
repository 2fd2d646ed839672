/* dl.c -- libtenure-malloc.so loaded late, for test_loading.py
 *
 *     dl LIBRARY late              by a program that has run a while
 *     dl LIBRARY churn             loaded and unloaded, with threads that used it
 *     dl LIBRARY full TLS FOLDER   when libraries have taken all static TLS
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*take)(size_t);
static void (*give)(void *);

static bool
find(void *library)
{
  *(void **)&take = dlsym(library, "malloc");
  *(void **)&give = dlsym(library, "free");
  return take != NULL && give != NULL && (void *)take != (void *)malloc;
}

/* Use it; NULL: right. */
static void *
use(void *argument)
{
  unsigned char *blocks[300];
  for (unsigned i = 0; i < 300; i++) {
    blocks[i] = take(i * 41 + 1);
    if (!blocks[i])
      return argument;
    memset(blocks[i], (int)i, i * 41 + 1);
  }
  for (unsigned i = 0; i < 300; i++) {
    if (blocks[i][i * 41] != (unsigned char)i)
      return argument;
    give(blocks[i]);
  }
  return NULL;
}

static pthread_barrier_t loaded;

static void *
wait_and_use(void *argument)
{
  pthread_barrier_wait(&loaded);
  return use(argument);
}

/* A thread that is older than the library has its thread-local memory too. */
static bool
late(const char *path)
{
  pthread_t old;
  pthread_t young;
  void *wrong[2];
  pthread_barrier_init(&loaded, NULL, 2);
  pthread_create(&old, NULL, wait_and_use, &loaded);
  void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library || !find(library))
    return fprintf(stderr, "%s\n", dlerror()), false;
  pthread_barrier_wait(&loaded);
  pthread_create(&young, NULL, use, &loaded);
  pthread_join(old, &wrong[0]);
  pthread_join(young, &wrong[1]);
  return !wrong[0] && !wrong[1] && !use(&loaded);
}

/* Threads end after it was unloaded, and it is loaded again: a thousand times,
 * which is more than there is address space for reservations of 256 GiB. */
static bool
churn(const char *path)
{
  for (unsigned i = 0; i < 1000; i++) {
    pthread_t thread;
    void *wrong = NULL;
    void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library || !find(library))
      return fprintf(stderr, "%u: %s\n", i, dlerror()), false;
    if (i % 100 == 0) {
      pthread_barrier_init(&loaded, NULL, 2);
      pthread_create(&thread, NULL, wait_and_use, &loaded);
    }
    if (use(&loaded) || dlclose(library) != 0)
      return false;
    if (i % 100 == 0) {
      pthread_barrier_wait(&loaded);
      pthread_join(thread, &wrong);
    }
    if (wrong)
      return false;
  }
  return true;
}

/* One library after the other takes static TLS until there is none. */
static bool
full(const char *path, const char *folder)
{
  unsigned n = 0;
  for (;; n++) {
    char name[4096];
    (void)snprintf(name, sizeof name, "%s/tls%u.so", folder, n);
    if (!dlopen(name, RTLD_NOW))
      break;
  }
  void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const char *const why = library ? "" : dlerror();
  void *const block = malloc(100);  // the program's own works on
  printf("%u %s %s\n", n, library ? "loaded" : "refused",
         strstr(why, "static TLS") ? "static TLS" : why);
  free(block);
  return !library || (find(library) && !use(&loaded));
}

int
main(int argc, char **argv)
{
  const char *const how = argv[2];
  if (argc > 3)
    return !full(argv[1], argv[3]);
  return strcmp(how, "late") == 0 ? !late(argv[1]) : !churn(argv[1]);
}
