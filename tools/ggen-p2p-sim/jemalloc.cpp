// What jemalloc reads when the process starts: huge pages, since the simulator's memory is larger
// than what a processor can translate from memory at hand (a fifth of the time of 300 nodes). What
// is freed is kept: it is wanted again at once.
extern "C" __attribute__((visibility("default"))) const char* malloc_conf;
const char* malloc_conf = "thp:always,metadata_thp:always,dirty_decay_ms:-1";
