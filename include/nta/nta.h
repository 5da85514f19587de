// Everything at once. A program that needs one module includes that module's headers instead.
//
//   #include "nta/nta.h"
#ifndef NTA_NTA_H_
#define NTA_NTA_H_

#include "nta/app/application_inspector.h"
#include "nta/app/name_table.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/memory_source.h"
#include "nta/capture/multi_source.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/capture/pcap_file_writer.h"
#include "nta/capture/pcapng_file_writer.h"
#include "nta/capture/replay_source.h"
#include "nta/detect/alert_budget.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/arp_spoof_detector.h"
#include "nta/detect/block_list.h"
#include "nta/detect/brute_force_detector.h"
#include "nta/detect/default_detectors.h"
#include "nta/detect/dhcp_detector.h"
#include "nta/detect/flood_detector.h"
#include "nta/detect/policy_detector.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/export/flow_columns.h"
#include "nta/export/flow_csv.h"
#include "nta/flow/community_id.h"
#include "nta/flow/flow_filter.h"
#include "nta/json/json.h"
#include "nta/pipeline/parallel_meter.h"
#include "nta/pipeline/pipeline.h"
#include "nta/pipeline/traffic_sampler.h"
#include "nta/store/store.h"
#include "nta/store/store_writer.h"

#endif  // NTA_NTA_H_
