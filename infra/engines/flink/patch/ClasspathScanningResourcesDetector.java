/*
 * Licensed to the Apache Software Foundation (ASF) under one
 * or more contributor license agreements.  See the NOTICE file
 * distributed with this work for additional information
 * regarding copyright ownership.  The ASF licenses this file
 * to you under the Apache License, Version 2.0 (the
 * "License"); you may not use this file except in compliance
 * with the License.  You may obtain a copy of the License at
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 *
 * Changed from the file of the same name in Apache Beam 2.49.0: no file is found.
 */
package org.apache.beam.runners.core.construction.resources;

import io.github.classgraph.ClassGraph;
import java.util.Collections;
import java.util.List;

/**
 * Which files go with a job to the cluster: none.
 *
 * <p>Beam's own class finds every jar of the job server, so that each job sends 155 MB, which every TaskManager fetches and loads anew. Here the
 * JobManager and the TaskManagers are started from the same jars.
 */
public class ClasspathScanningResourcesDetector implements PipelineResourcesDetector {

  public ClasspathScanningResourcesDetector(ClassGraph classGraph) {}

  @Override
  public List<String> detect(ClassLoader classLoader) {
    return Collections.emptyList();
  }
}
